// Baselines of the agent: fed by its history, kept beside it by a thread of their own, asked by its
// rules and reports.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "userspace/baselines/named_values.h"
#include "userspace/baselines/usual.h"
#include "userspace/history/history.h"
#include "userspace/metrics/family.h"

namespace nz::baselines {

class Baselines {
 public:
  /// `store` outlives it.
  explicit Baselines(store::Store& store);
  ~Baselines();
  Baselines(const Baselines&) = delete;
  Baselines& operator=(const Baselines&) = delete;

  /// After each drain, from one thread; once a minute it takes the minute's quantities (some
  /// milliseconds), else nothing. Never waits for a disk.
  void step(double now, const history::History& history,
            const std::vector<analysis::Regression>& regressions,
            const std::vector<analysis::Incident>& incidents,
            const std::vector<analysis::Finding>& findings);

  /// For alerts::HistoryFacts::set_baseline(): "hour_of_week" or a name. Never waits.
  [[nodiscard]] std::optional<alerts::BaselineValue> value(const analysis::Quantity& of,
                                                           const std::string& name, double at);
  /// As of the last minute, for reports; never null.
  [[nodiscard]] std::shared_ptr<const std::vector<analysis::AgainstUsual>> against_usual() const;
  /// nearzero_baseline_*.
  void collect(std::vector<metrics::Family>& out) const;

 private:
  void run();
  void work(double now, const Troubles* troubles);

  Usual usual_;
  NamedValues named_;
  double last_ = 0, told_ = 0;  // of the thread that steps: Unix seconds

  mutable std::mutex mutex_;  // of everything below
  std::condition_variable wake_;
  std::optional<double> due_;                 // as of when there is something to do
  std::shared_ptr<const Troubles> troubles_;  // that were not held against anything yet
  bool stopping_ = false;
  std::shared_ptr<const std::vector<analysis::AgainstUsual>> against_ =
      std::make_shared<std::vector<analysis::AgainstUsual>>();
  std::thread thread_;  // last: it reads the rest
};

}  // namespace nz::baselines
