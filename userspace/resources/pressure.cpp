#include "userspace/resources/pressure.h"

#include "userspace/resources/text.h"

namespace nz::resources {

std::optional<Pressure> parse_pressure(std::string_view text) {
  constexpr std::string_view kTotal = "total=";
  std::optional<uint64_t> some;
  Pressure pressure;
  Lines lines(text);
  while (const auto line = lines.next()) {
    Words words(*line);
    const std::string_view kind = words.next();
    std::string_view word;
    do word = words.next();
    while (!word.empty() && !word.starts_with(kTotal));
    if (word.empty()) return std::nullopt;
    const auto total = number_of(word.substr(kTotal.size()));
    if (!total) return std::nullopt;
    if (kind == "some") some = total;
    if (kind == "full") pressure.full = total;
  }
  if (lines.torn() || !some) return std::nullopt;
  pressure.some = *some;
  return pressure;
}

HostPressure::HostPressure(const Paths& paths) {
  for (size_t i = 0; i < files_.size(); i++) {
    files_[i] = File(paths.proc + "/pressure/" + kPressureResources[i]);
  }
}

void HostPressure::collect(Context& context, Rows& rows) {
  for (size_t i = 0; i < files_.size(); i++) {
    const auto text = files_[i].read(context.buffer);
    if (!text) {
      context.errors.count(Source::pressure, text.error());
      continue;
    }
    const auto pressure = parse_pressure(*text);
    if (!pressure) {
      context.errors.count(Source::pressure);
      continue;
    }
    const auto add = [&](const char* kind, uint64_t microseconds) {
      rows.add({{"scope", "host"}, {"resource", kPressureResources[i]}, {"kind", kind}},
               static_cast<double>(microseconds) / 1e6);
    };
    add("some", pressure->some);
    if (pressure->full) add("full", *pressure->full);
  }
}

}  // namespace nz::resources
