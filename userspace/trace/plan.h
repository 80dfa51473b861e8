// Which programs a request needs, and what they would cost before they are attached.
#pragma once

#include <string>
#include <vector>

#include "userspace/loader/object.h"
#include "userspace/observe/calibrate.h"
#include "userspace/trace/calls.h"
#include "userspace/trace/request.h"

namespace nz::trace {

/// For Object::load: only what is needed, sized for tracing.
loader::Object::Options object_options(const Request& request, const Calls& calls);

/// The target that the request stands for, as the agent's configuration would name it. Nothing when
/// everybody's events are wanted and no process has to be known by name.
std::vector<config::Target> observed_targets(const Request& request);

/// Tracepoint programs to attach, besides those that the probes attach for the target.
std::vector<std::string> tracing_programs(const Request& request);

/// Nanoseconds that a value costs above the agent's price: it goes by key.
inline constexpr double kKeyNs = 150;

/// Share of one core that tracing would take now: rates of 50 ms times prices, from the kernel's
/// own counters where there are some, else counted by a program that does nothing else. What has no
/// counter (SQLite) is not in it. `text` says what of it comes from where.
struct Estimate {
  double share = 0;
  std::string text;
};
Estimate estimate(const Request& request, const Calls& calls, loader::Object& object, pid_t pid,
                  const observe::Prices& prices);

}  // namespace nz::trace
