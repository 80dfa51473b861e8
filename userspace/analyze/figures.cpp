#include "userspace/analyze/figures.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace nz::analyze {

std::string json_number(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

std::string json_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_time(const Times& times, double at) {
  const std::string text = times.text(at);
  return times.kind() == Times::Kind::calendar ? json_text(text) : text;
}

std::string cell(double value) { return std::isnan(value) ? "-" : fmt::format("{:.5g}", value); }

std::string change_cell(double size) {
  if (!std::isfinite(size)) return "-";
  if (size >= 1) return fmt::format("x {:.3g}", 1 + size);
  return fmt::format("{:+.1f} %", 100 * size);
}

}  // namespace nz::analyze
