// Use, saturation and errors of the host's resources and of the targets', from /proc, /sys and
// cgroup files.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "userspace/metrics/family.h"
#include "userspace/resources/context.h"
#include "userspace/resources/processes.h"

namespace nz::resources {

class Resources {
 public:
  /// More often than this the last figures are given again: once a second, and a timer may be
  /// early.
  static constexpr std::chrono::milliseconds kAtMostEvery{900};

  explicit Resources(const Paths& paths);
  ~Resources();
  Resources(const Resources&) = delete;
  Resources& operator=(const Resources&) = delete;

  /// Adds the families of now. What cannot be read or understood is left out and counted in
  /// nearzero_resource_errors_total; memory and time are bounded whatever the files say.
  void collect(const std::vector<TargetProcesses>& targets, std::vector<metrics::Family>& out);

 private:
  class Readers;
  using Clock = std::chrono::steady_clock;

  std::unique_ptr<Readers> readers_;
  Clock::time_point last_;
  std::vector<metrics::Family> families_;
};

}  // namespace nz::resources
