// A rule file, conditions of a silence, and a line of a recording.
#include <sstream>

#include "tests/fuzz/input.h"
#include "userspace/alerts/engine.h"
#include "userspace/alerts/promql.h"
#include "userspace/alerts/recording.h"
#include "userspace/alerts/rule_file.h"

namespace {

/// A history without anything: every rule can be judged, none holds but those that miss something.
class Nothing : public nz::alerts::Facts {
 public:
  [[nodiscard]] nz::analysis::Window window(double from, double to,
                                            const std::set<std::string>&) const override {
    nz::analysis::Window window;
    window.from = from;
    window.to = to;
    return window;
  }
};

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  nz::fuzz::Input input(data, size);
  const auto matchers = nz::alerts::parse_matchers(input.line());
  if (matchers) {
    nz::alerts::Selector selector{"x", *matchers};
    const auto again = nz::alerts::parse_selector(selector.text());
    nz::fuzz::require(again && *again == selector, "a selector reads back its text");
    selector.matches("x", {{"target", "demo"}});
  }
  std::istringstream lines(input.line());
  nz::alerts::Recording recording(lines, "fuzz.jsonl");
  const auto moment = recording.next();
  if (!moment)
    nz::fuzz::require(moment.error().what.find("fuzz.jsonl:1") != std::string::npos,
                      "an error names its line");

  const nz::alerts::RuleFile file = nz::alerts::parse_rules(input.rest(), "fuzz.yaml");
  for (const std::string& problem : file.problems) {
    nz::fuzz::require(problem.find("fuzz.yaml") != std::string::npos || problem == "... and more",
                      "a problem names its file");
  }
  nz::fuzz::require(file.bad_rules == 0 || !file.problems.empty(), "a bad rule is reported");
  nz::alerts::prometheus_file(file.rules, "fuzz.yaml");
  nz::alerts::Engine engine;
  engine.set_rules(file.rules);
  engine.step(Nothing(), 1'764'255'600);
  nz::alerts::Engine after;
  nz::fuzz::require(after.restore(engine.save()).has_value(), "what was saved can be restored");
  nz::fuzz::require(after.alerts().size() == engine.alerts().size(), "and nothing is lost");
  return 0;
}
