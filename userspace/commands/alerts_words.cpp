#include "userspace/commands/alerts_words.h"

#include <fmt/format.h>

#include <cstdio>

namespace nz::commands {

std::string counted(std::size_t n, const std::string& one) {
  return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s");
}

std::string labels_text(const alerts::Alert& alert) {
  std::string text;
  for (const auto& [name, value] : alert.labels) {
    if (name != "alertname" && name != "severity")
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  }
  return text;
}

std::string summary_text(const alerts::Alert& alert) {
  for (const auto& [name, text] : alert.annotations) {
    if (name == "summary") return text;
  }
  return alert.annotations.empty() ? "" : alert.annotations.front().second;
}

void print_problems(const alerts::RuleFile& file) {
  for (const std::string& problem : file.problems) fmt::print(stderr, "{}\n", problem);
}

}  // namespace nz::commands
