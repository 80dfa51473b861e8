#include "userspace/report/report.h"

#include <utility>

#include "userspace/report/sections.h"

namespace nz::report {
namespace {

std::string subtitle(const Facts& facts) {
  const Host& host = facts.in.extras.host;
  std::string text = host.name.empty() ? "" : "Host " + shortened(host.name, 100);
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  add(time_text(facts.in.from) + " to " + time_text(facts.in.to) + " (" +
      span_text(facts.in.to - facts.in.from) + ")");
  if (facts.compared) add("compared with " + facts.in.before_name);
  return text;
}

}  // namespace

Document make_report(const Input& input) {
  const Facts facts(input);
  Document document;
  document.title = input.title.empty() ? "Performance report" : input.title;
  document.subtitle = subtitle(facts);
  document.created = input.created;
  document.from = input.from;
  document.to = input.to;
  document.sections.push_back(summary_section(facts, document));
  const auto add = [&](std::optional<Section> section) {
    if (section) document.sections.push_back(std::move(*section));
  };
  add(recommendations_section(facts));
  add(order_path_section(facts));
  add(attribution_section(facts));
  add(bottlenecks_section(facts));
  add(statements_section(facts));
  add(functions_section(facts));
  add(trends_section(facts));
  add(regressions_section(facts));
  add(alerts_section(facts));
  add(resources_section(facts));
  add(completeness_section(facts));
  return document;
}

}  // namespace nz::report
