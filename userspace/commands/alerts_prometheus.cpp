// nearzero alerts prometheus: the same rules for a Prometheus.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "userspace/alerts/promql.h"
#include "userspace/alerts/rule_file.h"
#include "userspace/commands/alerts_subcommands.h"
#include "userspace/commands/alerts_words.h"
#include "userspace/commands/output.h"

namespace nz::commands {
namespace {

int run_alerts_prometheus(const std::vector<std::string>& files) {
  const alerts::RuleFile file = alerts::load_rules(files);
  print_problems(file);
  const auto made = alerts::prometheus_file(file.rules, file.name);
  for (const std::string& note : made.notes) fmt::print(stderr, "note: {}\n", note);
  const int written = print(made.yaml);
  return written != kOk ? written : file.problems.empty() ? kOk : kBadConfig;
}

}  // namespace

Command add_alerts_prometheus(CLI::App& parent) {
  auto files = std::make_shared<std::vector<std::string>>();
  auto* sub = parent.add_subcommand("prometheus", "The same rules as a Prometheus rule file");
  sub->add_option("file", *files, "Rule files")->required();
  sub->footer(examples(
      {{"nearzero alerts prometheus /etc/nearzero/alerts.yaml > nearzero.alerts.yml", ""}}));
  return {sub, [files] { return run_alerts_prometheus(*files); }};
}

}  // namespace nz::commands
