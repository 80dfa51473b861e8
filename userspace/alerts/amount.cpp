#include "userspace/alerts/amount.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace nz::alerts {
namespace {

struct Unit {
  std::string_view name;
  double factor;
  Dimension dimension;
};
constexpr double kDay = 86400;
constexpr std::array kUnits = {
    Unit{"", 1, Dimension::plain},
    Unit{"ns", 1e-9, Dimension::time},
    Unit{"us", 1e-6, Dimension::time},
    Unit{"ms", 1e-3, Dimension::time},
    Unit{"s", 1, Dimension::time},
    Unit{"m", 60, Dimension::time},
    Unit{"h", 3600, Dimension::time},
    Unit{"d", kDay, Dimension::time},
    Unit{"w", 7 * kDay, Dimension::time},
    Unit{"%", 0.01, Dimension::share},
    Unit{"x", 1, Dimension::factor},
    Unit{"B", 1, Dimension::bytes},
    Unit{"kB", 1e3, Dimension::bytes},
    Unit{"MB", 1e6, Dimension::bytes},
    Unit{"GB", 1e9, Dimension::bytes},
    Unit{"TB", 1e12, Dimension::bytes},
    Unit{"KiB", 1024.0, Dimension::bytes},
    Unit{"MiB", 1024.0 * 1024, Dimension::bytes},
    Unit{"GiB", 1024.0 * 1024 * 1024, Dimension::bytes},
    Unit{"TiB", 1024.0 * 1024 * 1024 * 1024, Dimension::bytes},
};

const char* words(const Amount& amount) {
  switch (amount.dimension) {
    case Dimension::plain:
      return amount.per_second ? "a rate" : "a number";
    case Dimension::time:
      return amount.per_second ? "a time in each second" : "a time";
    case Dimension::share:
      return "a share";
    case Dimension::bytes:
      return amount.per_second ? "a rate of bytes" : "a number of bytes";
    case Dimension::factor:
      return "a factor";
  }
  return "";
}

}  // namespace

std::optional<Amount> parse_amount(std::string_view text) {
  Amount amount;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount.value,
                                            std::chars_format::fixed);
  // from_chars knows "inf" and "nan" as well.
  if (error != std::errc() || !std::isfinite(amount.value)) return std::nullopt;
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.ends_with("/s")) {
    amount.per_second = true;
    unit.remove_suffix(2);
  }
  for (const Unit& known : kUnits) {
    if (unit != known.name) continue;
    if (amount.per_second && known.dimension == Dimension::factor) return std::nullopt;
    amount.value *= known.factor;
    amount.dimension = known.dimension;
    return amount;
  }
  return std::nullopt;
}

std::optional<double> parse_time(std::string_view text) {
  const auto amount = parse_amount(text);
  if (!amount || amount->dimension != Dimension::time || amount->per_second) return std::nullopt;
  return amount->value;
}

std::string time_text(double seconds) {
  constexpr std::array<std::pair<const char*, double>, 4> kWhole = {
      {{"d", kDay}, {"h", 3600}, {"m", 60}, {"s", 1}}};
  for (const auto& [name, factor] : kWhole) {
    const double count = seconds / factor;
    // 90 s is clearer than 1.5m, and PromQL takes whole numbers only.
    if (count >= 1 && std::fabs(count - std::round(count)) < 1e-9)
      return std::to_string(std::llround(count)) + name;
  }
  return std::to_string(std::llround(seconds * 1e3)) + "ms";
}

std::optional<std::string> misfit(const Amount& amount, std::string_view unit) {
  if (amount.dimension == Dimension::plain && !amount.per_second) return std::nullopt;
  const bool rate = unit.ends_with("per second");
  bool fits = false;
  switch (amount.dimension) {
    case Dimension::plain:
      fits = rate;
      break;
    case Dimension::time:
      fits = amount.per_second ? unit == "seconds per second" : unit == "seconds";
      break;
    case Dimension::share:  // seconds in each second are a share of the time
      fits = !amount.per_second && (unit == "ratio" || unit == "seconds per second");
      break;
    case Dimension::bytes:
      fits = amount.per_second ? unit == "bytes per second" : unit == "bytes";
      break;
    case Dimension::factor:
      break;
  }
  if (fits) return std::nullopt;
  return std::string(words(amount)) + ", and the quantity is in " +
         (unit.empty() ? "plain numbers" : std::string(unit));
}

}  // namespace nz::alerts
