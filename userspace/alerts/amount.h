// Amounts and times as people write them in a rule: 5ms, 90%, 64MiB, 1.5x, 3d.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nz::alerts {

/// What an amount counts. A plain number fits every quantity, in its base unit.
enum class Dimension { plain, time, share, bytes, factor };

struct Amount {
  double value = 0;  ///< seconds, bytes, a share of 1, a factor, or the plain number
  Dimension dimension = Dimension::plain;
  bool per_second = false;  ///< written with "/s"
};

/// Nothing where it is no amount. Units: ns, us, ms, s, m, h, d, w; %; B, kB, MB, GB, TB, KiB, MiB,
/// GiB, TiB; x; any of them but x with "/s" behind it.
std::optional<Amount> parse_amount(std::string_view text);

/// A time in seconds: "500ms", "30s", "1h", "30d". Nothing where it is none.
std::optional<double> parse_time(std::string_view text);

/// The shortest form that parse_time() reads back: "1h", "90s", "250ms". PromQL reads it, too.
std::string time_text(double seconds);

/// Why an amount does not fit a quantity of this unit ("seconds", "bytes", "ratio", "per second",
/// "bytes per second", "seconds per second", "" ...); nothing where it does.
std::optional<std::string> misfit(const Amount& amount, std::string_view unit);

}  // namespace nz::alerts
