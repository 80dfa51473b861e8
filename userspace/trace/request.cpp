#include "userspace/trace/request.h"

#include <algorithm>

#include "userspace/config/nearest_key.h"

namespace nz::trace {

const std::vector<std::string>& kind_names() {
  static const std::vector<std::string> names = {"runq",   "offcpu", "oncpu", "syscalls",
                                                 "sqlite", "block",  "tcp",   "pagefaults",
                                                 "futex",  "func",   "usdt"};
  return names;
}

Result<Target> parse_target(const std::string& text) {
  const size_t colon = text.find(':');
  const std::string word = text.substr(0, colon);
  const auto& names = kind_names();
  const auto at = std::find(names.begin(), names.end(), word);
  if (at == names.end()) {
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    const std::string nearest = config::nearest_key(word, names);
    return fail(
        "no target '" + word + "'",
        (nearest.empty() ? "" : "did you mean '" + nearest + "'? ") + std::string("one of ") + all);
  }
  Target target{static_cast<Kind>(at - names.begin()),
                colon == std::string::npos ? "" : text.substr(colon + 1)};
  const bool needs_place = target.kind == Kind::func || target.kind == Kind::usdt;
  if (needs_place && target.place.find(':') == std::string::npos)
    return fail("'" + text + "' does not say what to trace",
                target.kind == Kind::func ? "write func:BINARY:SYMBOL"
                                          : "write usdt:BINARY:PROVIDER:NAME or ...:NAME..NAME");
  if (!needs_place && colon != std::string::npos)
    return fail("target " + word + " takes no ':" + target.place + "'");
  return target;
}

bool wants(const Request& request, Kind kind) {
  return std::any_of(request.targets.begin(), request.targets.end(),
                     [kind](const Target& t) { return t.kind == kind; });
}

}  // namespace nz::trace
