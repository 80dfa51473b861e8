#include <algorithm>

#include "userspace/rest/answers.h"
#include "userspace/rest/page.h"
#include "userspace/rest/query.h"
#include "userspace/rest/render.h"

namespace nz::rest {
namespace {

using analysis::Details;

std::vector<std::string> targets_with_stacks(const Details& details) {
  std::vector<std::string> names;
  for (const auto& [target, text] : details.folded) names.push_back(target);
  return names;
}

// Stacks of one target: a flame graph has one root.
const std::string* stacks_of(const Details& details, const std::optional<std::string>& target,
                             Query& query) {
  static const std::string none;
  const auto names = targets_with_stacks(details);
  if (!target && names.size() > 1) {
    query.mistake("target", "several targets have stacks", "give one of them: " + listed(names));
    return nullptr;
  }
  for (const auto& [name, text] : details.folded) {
    if (!target || name == *target) return &text;
  }
  if (target && !names.empty()) query.unknown("target", "target", *target, names);
  return &none;  // nothing was sampled yet
}

http::Response text_answer(std::string body) {
  http::Response response;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

}  // namespace

http::Response profile_answer(const Source& source, const View& view,
                              const http::Request& request) {
  static const Details none;
  Query query(request, {"target", "format", "limit", "cursor"}, view.at);
  const auto target = query.text("target");
  const auto formats = query.words("format", {"json", "folded"});
  if (formats.size() > 1) query.mistake("format", "there are several", "give one of them");
  const PageRequest page_request = query.page();
  const Details& details = view.details ? *view.details : none;
  if (!formats.empty() && formats[0] == "folded") {
    const std::string* text = stacks_of(details, target, query);
    return query.ok() ? text_answer(*text) : query.refusal();
  }
  if (!query.ok()) return query.refusal();

  std::vector<const analysis::HotFunction*> found;
  std::vector<std::string> keys;
  for (const analysis::HotFunction& f : details.hot_functions) {
    if (target && f.target != *target) continue;
    found.push_back(&f);
    keys.push_back(f.target + '\n' + f.module + '\n' + f.function);
  }
  const Page page = page_of(keys, page_request);
  Json rows = Json::array();
  for (std::size_t i = page.begin; i < page.end; i++) rows.push_back(hot_function_json(*found[i]));
  const double from = view.at - details.profile_seconds;
  return json_answer(dumped({{"range", range_json(from, view.at)},
                             {"completeness", completeness(source, view, from, view.at)},
                             {"units",
                              {{"time", "RFC 3339, UTC"},
                               {"share", "ratio of the target's samples"},
                               {"samples", "samples"}}},
                             {"page", to_json(page)},
                             {"functions", std::move(rows)}}));
}

}  // namespace nz::rest
