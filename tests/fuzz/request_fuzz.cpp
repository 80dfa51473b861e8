// What people type: targets and places of `nearzero trace` and `list`, durations, conditions.
#include "tests/fuzz/input.h"
#include "userspace/config/units.h"
#include "userspace/inspect/place.h"
#include "userspace/targets/match.h"
#include "userspace/trace/request.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  nz::fuzz::Input input(data, size);
  const std::string text = input.line();
  const std::string more = input.line();
  if (const auto target = nz::trace::parse_target(text)) {
    const std::string& word = nz::trace::kind_names().at(static_cast<size_t>(target->kind));
    nz::fuzz::require(text.starts_with(word), "a target begins with its kind");
    // Only with a slash: looking through the folders of libraries costs milliseconds.
    if (target->place.find('/') < target->place.find(':')) {
      static_cast<void>(nz::inspect::find_place(target->place, std::nullopt));
    }
  }
  if (const auto duration = nz::config::parse_duration(text)) {
    const auto again = nz::config::parse_duration(nz::config::format_duration(*duration));
    nz::fuzz::require(again == duration, "format_duration() and parse_duration() are inverse");
  }
  static_cast<void>(nz::config::parse_percent(text));
  nz::config::Match match;
  match.comm = text;
  match.exe = text;
  match.cgroup = text;
  match.cmdline = text;
  nz::targets::Process process;
  process.comm = more;
  process.exe = more;
  process.cgroups = {more};
  process.cmdline = more;
  static_cast<void>(nz::targets::matches(match, process));
  return 0;
}
