// The windows of history that a set of rules looks at: one for each length, with the families that
// any rule wants of it, read once a step.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "userspace/alerts/facts.h"
#include "userspace/alerts/rule.h"

namespace nz::alerts {

class Windows {
 public:
  /// Which windows these rules need.
  void plan(const std::vector<Rule>& rules);
  /// A new moment. Windows of half an hour and more are kept for a 120th of their length: an error
  /// budget over three days does not change within ten seconds, and reading it costs.
  void begin(const Facts& facts, double now);
  /// The window of this length that ends now. Between plan() and begin() there is none: empty.
  const analysis::Window& get(double seconds);
  /// Whether it covers `share` of its length and reaches up to now.
  [[nodiscard]] bool covers(const analysis::Window& window, double seconds, double share) const;

 private:
  struct Kept {
    std::set<std::string> families;
    analysis::Window window;
    double at = 0;  ///< when it was read; 0: never
  };
  std::map<double, Kept> by_length_;
  const Facts* facts_ = nullptr;
  double now_ = 0;
};

}  // namespace nz::alerts
