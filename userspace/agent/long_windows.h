// Windows that reach beyond the hour in memory are read from the disk, minute by minute. Rules ask
// for the same ones every 10 s: what is as old as a two-hundredth of its length is still good.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "analysis/window.h"

namespace nz::agent {

class LongWindows {
 public:
  using Families = std::set<std::string>;
  using Read = std::function<analysis::Window(double from, double to, const Families& families)>;

  static constexpr double kLong = 3600;  ///< seconds; shorter ones are read each time
  static constexpr double kStale = 1.0 / 200;

  explicit LongWindows(Read read) : read_(std::move(read)) {}

  [[nodiscard]] analysis::Window window(double from, double to, const Families& families);
  /// Forgets what nobody has asked for since `before` (Unix seconds, of `to`).
  void forget(double before);

 private:
  struct Kept {
    analysis::Window window;
    double to = 0, asked = 0;
  };

  Read read_;
  std::map<std::pair<double, Families>, Kept> kept_;  // by length
};

}  // namespace nz::agent
