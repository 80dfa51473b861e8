#include "probes/tracing_links.h"

namespace nz::probes {

void TracingLinks::attach(std::initializer_list<const char*> programs) {
  for (const char* program : programs) {
    if (links_.contains(program)) continue;
    auto link = object_.attach_tracing(program);
    if (link) {
      links_.emplace(program, std::move(*link));
      failures_.erase(program);
    } else {
      failures_[program] = link.error().text();
    }
  }
}

std::string TracingLinks::failures() const {
  std::string text;
  for (const auto& [program, reason] : failures_) text += "; " + program + ": " + reason;
  return text;
}

}  // namespace nz::probes
