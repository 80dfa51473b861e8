// Times, spans and changes in words. All times are UTC, so that a report reads the same everywhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/report/document/document.h"

namespace nz::report {

inline constexpr double kDaySeconds = 86400;

/// "2026-11-27 14:02:10 UTC", or as strftime's `format` has it.
std::string time_text(double unix_seconds, const char* format = "%Y-%m-%d %H:%M:%S UTC");

/// Within a range: "14:02:10" where all of it is on one day, else "27 Nov 14:02".
class Clock {
 public:
  Clock(double from, double to);
  [[nodiscard]] std::string at(double unix_seconds) const;

 private:
  bool one_day_;
  double from_, to_;
};

/// "45 s", "12 min", "3 h 20 min", "2 d 4 h"
std::string span_text(double seconds);

/// "since 14:02:10, 27 min so far"; "from 14:02:10 to 14:29:00, 27 min". `until` 0: it goes on.
std::string lasting_text(const Clock& clock, double since, double until, double now);

/// "+34 %", "-8 %", "x 71", "same" (within 2 %), "new" (there was none), "gone"; empty where
/// either is NaN or both are 0.
std::string change_text(double now, double before);

/// Whether more is worse. From a change of a fifth on, it is told by colour.
enum class Worse { more, less, neither };
Tone change_tone(double now, double before, Worse worse);

/// "1 order", "2 orders", "12.5k orders"
std::string counted(double n, std::string_view one, std::string_view many);

/// "a", "a and b", "a, b and c"
std::string listed(const std::vector<std::string>& words);

/// At most `most` bytes, never within a character: "SELECT a, b ...".
std::string shortened(const std::string& text, std::size_t most);

/// Ends with a full stop.
std::string sentence(std::string text);

/// A confidence of 0 to 1: "almost certainly", "likely", "possibly".
std::string confidence_text(double confidence);

/// Advice for a database: the statement as code, what follows " -- " as prose.
Text advice_text(const std::string& line);

/// A figure, or an en dash where there is none (NaN).
std::string figure_or_dash(double value, std::string_view unit);

}  // namespace nz::report
