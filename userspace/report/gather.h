// Gathers what a report is made of from what keeps the figures: the last hour in memory, or the
// store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/report/input.h"

namespace nz::report {

/// What keeps figures over time.
class Data {
 public:
  Data() = default;
  Data(const Data&) = delete;
  Data& operator=(const Data&) = delete;
  virtual ~Data() = default;
  [[nodiscard]] virtual analysis::Window window(double from, double to) const = 0;
  [[nodiscard]] virtual std::vector<history::Trend> trends(const history::Selector& selector,
                                                           double from, double to,
                                                           double step) const = 0;
  [[nodiscard]] virtual double oldest() const = 0;      ///< Unix seconds; 0: there is nothing
  [[nodiscard]] virtual double resolution() const = 0;  ///< seconds between two points
};

/// The last hour in memory. The history must outlive it.
class MemoryData : public Data {
 public:
  explicit MemoryData(const history::History& history) : history_(history) {}
  [[nodiscard]] analysis::Window window(double from, double to) const override {
    return history_.window(from, to);
  }
  [[nodiscard]] std::vector<history::Trend> trends(const history::Selector& selector, double from,
                                                   double to, double step) const override {
    return history_.trends(selector, from, to, step);
  }
  [[nodiscard]] double oldest() const override { return history_.oldest(); }
  [[nodiscard]] double resolution() const override { return history_.resolution(); }

 private:
  const history::History& history_;
};

/// What a range is compared with: the same length so many seconds earlier.
struct Compare {
  enum class Kind { previous, earlier, none };
  Kind kind = Kind::previous;
  double earlier = 0;  ///< seconds, where kind is earlier
};

/// "previous" (the range right before), "none", or how much earlier: "1d", "7d", "90m". Nothing for
/// anything else.
std::optional<Compare> parse_compare(std::string_view text);

/// What such words may be, for messages.
inline constexpr const char* kCompareRemedy =
    "give 'previous' (the same length right before), how much earlier (1d, 7d), or 'none'";

/// How much earlier in seconds; 0: no comparison.
double shift_of(const Compare& compare, double from, double to);

/// "the 15 min before", "the same time 1 d before"; empty without a comparison.
std::string name_of(const Compare& compare, double from, double to);

/// Windows, trends and how far history reaches, into an Input of this range; the rest (findings,
/// details, unattached, extras, title) is left to the caller. Some ten trends for each of at most
/// eight services, of some hundred points each.
Input gather(const Data& data, double from, double to, const Compare& compare);

}  // namespace nz::report
