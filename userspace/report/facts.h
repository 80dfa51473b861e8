// What several sections of a report ask of its input, worked out once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/bottlenecks/order_path.h"
#include "analysis/bottlenecks/statements.h"
#include "userspace/report/document/words.h"
#include "userspace/report/input.h"

namespace nz::report {

/// A stage of the order path in both windows.
struct Stage {
  std::string name;
  bool whole = false;  ///< it contains the others
  analysis::Histogram now, before;
  double rate = 0, rate_before = 0;  ///< completed per second in which the probe observed
};

/// One service.
struct Target {
  std::string name;
  std::unique_ptr<analysis::OrderPath> path;
  std::vector<Stage> stages;  ///< the whole one first, then those that take most of it
  std::vector<analysis::Statement> statements;  ///< those that take most time first

  /// The stage that stands for the service: the whole one, else the longest; null: none has orders.
  [[nodiscard]] const Stage* main() const;
};

/// A finding of the range.
struct Trouble {
  const analysis::Finding* finding = nullptr;
  bool over = false;
  double from = 0, to = 0;  ///< Unix seconds: its part of the range
  double orders = 0;        ///< that passed meanwhile, by the rate of the window; 0: unknown
};

class Facts {
 public:
  /// `input` must outlive it.
  explicit Facts(const Input& input);
  Facts(const Facts&) = delete;
  Facts& operator=(const Facts&) = delete;

  const Input& in;
  const Clock clock;
  const analysis::WindowIndex now, before;
  /// There is a time to compare with.
  const bool compared;
  /// Targets with figures, by name.
  std::vector<Target> targets;
  /// Those that go on first, most costly first; then those that are over.
  std::vector<Trouble> troubles;

  /// Nothing was measured: there is no series.
  [[nodiscard]] bool empty() const { return in.now.series.empty(); }
  [[nodiscard]] const Target* target(const std::string& name) const;
  /// Growth of a counter per second; in the time before, nothing where that is unknown.
  [[nodiscard]] double rate(std::string_view name, const analysis::Labels& labels = {}) const;
  [[nodiscard]] double rate_before(std::string_view name,
                                   const analysis::Labels& labels = {}) const;
  /// The trend of a quantity; null: there is none.
  [[nodiscard]] const TrendLine* trend(std::string_view name, std::string_view statistic,
                                       const analysis::Labels& labels) const;

 private:
  void find_targets();
  void find_troubles();
  [[nodiscard]] std::vector<Stage> stages_of(const std::string& target) const;

  analysis::Rules rules_;
};

}  // namespace nz::report
