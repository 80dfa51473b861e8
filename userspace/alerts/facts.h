// What alert rules look at. The running agent, its store of history, a recorded file and a test's
// hand-written scene each supply it; the rules do not know which.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "analysis/finding.h"
#include "analysis/limit_forecast.h"
#include "analysis/regression.h"
#include "analysis/window.h"

namespace nz::alerts {

/// What is usual for a quantity at some time.
struct BaselineValue {
  double middle = 0;  ///< in the quantity's unit
  double spread = 0;  ///< robust standard deviation (1.4826 MAD); 0: not known
};

/// What the lists below do not tell, where they are of the past.
struct Gaps {
  /// Why some that were open may not be in the list; empty: all of them are.
  std::string findings, regressions, incidents;
  /// Findings have a target, a kind and an impact; nothing else of them is known.
  bool only_impact = false;
  /// Findings were open at some time of the last so many seconds, nobody knows for how long of
  /// them: a rule whose `for` is shorter cannot be judged by them. 0: they are open now.
  double findings_within = 0;
};

class Facts {
 public:
  Facts() = default;
  Facts(const Facts&) = delete;
  Facts& operator=(const Facts&) = delete;
  virtual ~Facts() = default;

  /// What the series of these families did between two times (Unix seconds). Where history does not
  /// reach back so far, what there is: `from` and `to` of the answer say. Empty where there is
  /// nothing.
  [[nodiscard]] virtual analysis::Window window(double from, double to,
                                                const std::set<std::string>& families) const = 0;
  /// Open and recently resolved ones. Nothing: nobody judges, which is not the same as an empty
  /// list.
  [[nodiscard]] virtual const std::vector<analysis::Finding>* findings() const { return nullptr; }
  [[nodiscard]] virtual const std::vector<analysis::Regression>* regressions() const {
    return nullptr;
  }
  [[nodiscard]] virtual const std::vector<analysis::Incident>* incidents() const { return nullptr; }
  /// Of these three lists.
  [[nodiscard]] virtual const Gaps& gaps() const {
    static const Gaps none;
    return none;
  }
  /// Of limits; what is not in sight is not there.
  [[nodiscard]] virtual const std::vector<analysis::LimitForecast>* forecasts() const {
    return nullptr;
  }
  /// Of a quantity at a time, by the baseline's name ("hour_of_week", "release-1.4"). Nothing where
  /// none is known.
  [[nodiscard]] virtual std::optional<BaselineValue> baseline(const analysis::Quantity& /*of*/,
                                                              const std::string& /*name*/,
                                                              double /*at*/) const {
    return std::nullopt;
  }
};

}  // namespace nz::alerts
