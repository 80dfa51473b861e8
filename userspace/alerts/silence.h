// Alerts that nobody is to be told of for a while.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/alerts/matcher.h"
#include "userspace/base/result.h"

namespace nz::alerts {

struct Silence {
  std::string id;  ///< "s1", "s2", ...: never given twice
  Matchers matchers;
  double from = 0, until = 0;  ///< Unix seconds
  std::string comment;

  [[nodiscard]] std::string matchers_text() const;
};

class Silences {
 public:
  static constexpr std::size_t kMost = 256;
  static constexpr double kLongest = 90 * 86400.0;

  /// For `seconds` from `now`. Errors: no condition (it would silence everything), a time out of
  /// range, too many.
  Result<Silence> add(Matchers matchers, double now, double seconds, std::string comment);
  /// Error where there is none of this id.
  Result<void> remove(std::string_view id);
  /// Forgets those that are over. How many. One that begins after `now` (the clock was set back)
  /// begins now.
  std::size_t expire(double now);
  [[nodiscard]] const std::vector<Silence>& all() const { return all_; }
  /// The first that holds for these labels; null: none.
  [[nodiscard]] const Silence* of(const analysis::Labels& labels, double now) const;

  /// As JSON (version 1), and back: on an error nothing is changed.
  [[nodiscard]] std::string save() const;
  Result<void> restore(std::string_view saved);

 private:
  std::vector<Silence> all_;
  std::size_t next_ = 1;
};

}  // namespace nz::alerts
