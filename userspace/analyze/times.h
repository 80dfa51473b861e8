// The time column of a file: what its times mean, and how to write them again.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nz::analyze {

/// Times are kept as seconds in a double: to a microsecond where they are Unix times.
class Times {
 public:
  enum class Kind {
    index,      ///< there is no column: the row's number
    number,     ///< numbers that are no Unix times; kept as they are
    unix_time,  ///< seconds, milliseconds, microseconds or nanoseconds since 1970, by magnitude
    calendar,   ///< ISO 8601: 2026-11-27, 2026-11-27 09:00, 2026-11-27T09:00:00.250+01:00
  };

  Times() = default;  ///< of Kind::index
  /// By the first time of a file; nothing where it is none.
  static std::optional<Times> like(std::string_view first);

  /// Seconds since 1970 (UTC where no offset is told), or the number itself; nothing for what is
  /// not written like the first one.
  std::optional<double> parse(std::string_view text);

  /// As the file had it: "2026-11-27 09:00:00", "1700000000.5", "17".
  [[nodiscard]] std::string text(double at) const;
  /// For people: calendar times also where the file has Unix times.
  [[nodiscard]] std::string readable(double at) const;
  [[nodiscard]] Kind kind() const { return kind_; }
  /// Days and weeks mean something.
  [[nodiscard]] bool clock() const { return kind_ == Kind::unix_time || kind_ == Kind::calendar; }

 private:
  Kind kind_ = Kind::index;
  double per_second_ = 1;  // units of the file in a second
  int decimals_ = 0;       // the most that were seen
  char date_separator_ = '-', separator_ = 'T';
  bool has_clock_ = true, has_seconds_ = true;
  std::string zone_;  // as the first one had it
  double zone_seconds_ = 0;
};

/// "2026-11-27 09:00:00", with as many decimals of a second, UTC.
std::string calendar_text(double unix_seconds, int decimals = 0);

}  // namespace nz::analyze
