#include "userspace/analyze/times.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

namespace nz::analyze {
namespace {

// Takes `n` digits off the front.
std::optional<int> digits(std::string_view& text, std::size_t n) {
  if (text.size() < n) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, n)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(n);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

struct Parsed {
  double at = 0;  // UTC
  char date_separator = '-', separator = 'T';
  bool has_clock = false, has_seconds = false;
  int decimals = 0;
  double zone = 0;
  std::string_view zone_text;
};

// ":00", ":00.250" and nothing.
std::optional<double> seconds_of(std::string_view& text, Parsed& p) {
  if (!take(text, ':')) return 0;
  const auto whole = digits(text, 2);
  if (!whole || *whole > 60) return std::nullopt;
  p.has_seconds = true;
  if (text.empty() || (text.front() != '.' && text.front() != ',')) return *whole;
  text.remove_prefix(1);
  double fraction = 0, unit = 0.1;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
    fraction += unit * (text.front() - '0');
    unit /= 10;
    p.decimals++;
  }
  if (p.decimals == 0) return std::nullopt;
  return *whole + fraction;
}

// "Z", "+01:00", "-0530", "+01" and nothing, to the end.
bool zone_of(std::string_view text, Parsed& p) {
  p.zone_text = text;
  while (take(text, ' ')) {
  }
  if (text.empty() || text == "Z" || text == "z" || text == "UTC") return true;
  const double sign = text.front() == '-' ? -1 : 1;
  if (!take(text, '+') && !take(text, '-')) return false;
  const auto hours = digits(text, 2);
  if (!hours || *hours > 23) return false;
  int minutes = 0;
  if (!text.empty()) {
    take(text, ':');
    const auto told = digits(text, 2);
    if (!told || *told > 59 || !text.empty()) return false;
    minutes = *told;
  }
  p.zone = sign * (*hours * 3600 + minutes * 60);
  return true;
}

std::optional<Parsed> calendar(std::string_view text) {
  Parsed p;
  const auto year = digits(text, 4);
  if (!year || text.empty() || (text.front() != '-' && text.front() != '/')) return std::nullopt;
  p.date_separator = text.front();
  text.remove_prefix(1);
  const auto month = digits(text, 2);
  if (!month || !take(text, p.date_separator)) return std::nullopt;
  const auto day = digits(text, 2);
  if (!day) return std::nullopt;
  namespace chrono = std::chrono;
  const chrono::year_month_day date{chrono::year(*year),
                                    chrono::month(static_cast<unsigned>(*month)),
                                    chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  p.at = 86400.0 * static_cast<double>(chrono::sys_days(date).time_since_epoch().count());
  if (text.empty()) return p;
  p.separator = text.front();
  if (p.separator != 'T' && p.separator != ' ' && p.separator != 't') return std::nullopt;
  text.remove_prefix(1);
  const auto hour = digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  p.has_clock = true;
  const auto seconds = seconds_of(text, p);
  if (!seconds || !zone_of(text, p)) return std::nullopt;
  p.at += *hour * 3600 + *minute * 60 + *seconds - p.zone;
  return p;
}

std::optional<double> number(std::string_view text, int& decimals) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  const std::size_t point = text.find('.');
  decimals = point == std::string_view::npos ? 0 : static_cast<int>(text.size() - point - 1);
  // An exponent has no number of decimals; nine are what a double of this size has.
  if (text.find_first_of("eE") != std::string_view::npos) decimals = 9;
  return value;
}

// Unix times of 1973 to 2286 in each unit; below are numbers that count something else.
double units_per_second(double first) {
  const double size = std::fabs(first);
  if (size >= 1e17) return 1e9;
  if (size >= 1e14) return 1e6;
  if (size >= 1e11) return 1e3;
  return 1;
}
constexpr double kLeastUnix = 1e8;

}  // namespace

std::optional<Times> Times::like(std::string_view first) {
  Times times;
  int decimals = 0;
  if (const auto value = number(first, decimals)) {
    times.kind_ = std::fabs(*value) >= kLeastUnix ? Kind::unix_time : Kind::number;
    if (times.kind_ == Kind::unix_time) times.per_second_ = units_per_second(*value);
    return times;
  }
  const auto p = calendar(first);
  if (!p) return std::nullopt;
  times.kind_ = Kind::calendar;
  times.date_separator_ = p->date_separator;
  times.separator_ = p->separator;
  times.has_clock_ = p->has_clock;
  times.has_seconds_ = p->has_seconds;
  times.zone_ = p->zone_text;
  times.zone_seconds_ = p->zone;
  return times;
}

std::optional<double> Times::parse(std::string_view text) {
  if (kind_ == Kind::calendar) {
    const auto p = calendar(text);
    if (!p) return std::nullopt;
    has_clock_ = has_clock_ || p->has_clock;
    has_seconds_ = has_seconds_ || p->has_seconds;
    decimals_ = std::max(decimals_, std::min(p->decimals, 9));
    return p->at;
  }
  int decimals = 0;
  const auto value = number(text, decimals);
  if (!value) return std::nullopt;
  decimals_ = std::max(decimals_, std::min(decimals, 9));
  return *value / per_second_;
}

std::string Times::text(double at) const {
  if (kind_ == Kind::index) return fmt::format("{:.0f}", at);
  if (kind_ != Kind::calendar) {
    double value = at * per_second_;
    // Of a Unix time in nanoseconds a double has lost the last ones.
    if (per_second_ == 1e9) value = std::round(at * 1e6) * 1e3;
    return fmt::format("{:.{}f}", value, decimals_);
  }
  std::string text = calendar_text(at + zone_seconds_, decimals_);
  text[4] = text[7] = date_separator_;
  text[10] = separator_;
  if (!has_clock_) return text.substr(0, 10);
  if (!has_seconds_) text.resize(16);
  return text + zone_;
}

std::string Times::readable(double at) const {
  if (!clock()) return kind_ == Kind::index ? text(at) : fmt::format("{:.7g}", at);
  if (kind_ == Kind::calendar) return text(at);
  return calendar_text(at, decimals_ > 0 || per_second_ > 1 ? 3 : 0) + "Z";
}

std::string calendar_text(double unix_seconds, int decimals) {
  // Beyond the year 9999 there is no ISO 8601.
  const double limited = std::clamp(unix_seconds, -62135596800.0, 253402300799.0);
  const double unit = std::pow(10.0, decimals);
  const double whole = std::floor(limited);
  double ticks = std::round((limited - whole) * unit);
  auto seconds = static_cast<long long>(whole);
  if (ticks >= unit) {
    seconds++;
    ticks = 0;
  }
  namespace chrono = std::chrono;
  const auto since = chrono::sys_seconds(chrono::seconds(seconds));
  const auto day = chrono::floor<chrono::days>(since);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(since - day);
  std::string text =
      fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (decimals > 0) text += fmt::format(".{:0{}.0f}", ticks, decimals);
  return text;
}

}  // namespace nz::analyze
