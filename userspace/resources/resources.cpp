#include "userspace/resources/resources.h"

#include <unistd.h>

#include <ctime>
#include <exception>

#include "userspace/resources/cpu.h"
#include "userspace/resources/disks.h"
#include "userspace/resources/filesystems.h"
#include "userspace/resources/memory.h"
#include "userspace/resources/mounts.h"
#include "userspace/resources/network.h"
#include "userspace/resources/open_files.h"
#include "userspace/resources/pressure.h"
#include "userspace/resources/target_networks.h"
#include "userspace/resources/targets.h"

namespace nz::resources {
namespace {

// The buffer that one enormous file has left does not stay.
constexpr size_t kKeptBuffer = size_t{1} << 18;

uint64_t ticks_after_boot() {
  static const auto kHz = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  timespec t{};
  clock_gettime(CLOCK_BOOTTIME, &t);
  return static_cast<uint64_t>(t.tv_sec) * kHz +
         static_cast<uint64_t>(t.tv_nsec) * kHz / 1'000'000'000;
}

}  // namespace

class Resources::Readers {
 public:
  explicit Readers(const Paths& paths)
      : mounts_(paths),
        cpu_(paths),
        memory_(paths),
        pressure_(paths),
        disks_(paths),
        filesystems_(paths),
        network_(paths),
        open_files_(paths),
        targets_(paths),
        target_networks_(paths) {}

  void collect(const std::vector<TargetProcesses>& targets, std::vector<metrics::Family>& out) {
    Context context{buffer_, errors_, out};
    // Each on its own: what one of them cannot bear does not take the others with it.
    guarded(Source::filesystems, [&] {
      if (!mounts_.refresh(context)) return;
      filesystems_.update(mounts_);
      targets_.update(mounts_);
    });
    guarded(Source::cpu, [&] { cpu_.collect(context); });
    guarded(Source::memory, [&] { memory_.collect(context); });
    guarded(Source::disks, [&] { disks_.collect(context, filesystems_.devices()); });
    guarded(Source::filesystems, [&] { filesystems_.collect(context, mounts_); });
    guarded(Source::network, [&] { network_.collect(context); });
    guarded(Source::open_files, [&] { open_files_.collect(context); });
    Rows pressure(context, "nearzero_pressure_seconds_total",
                  "Seconds in which some or all tasks waited for a resource.", kCounter);
    guarded(Source::pressure, [&] { pressure_.collect(context, pressure); });
    guarded(Source::processes, [&] {
      targets_.collect(context, targets, ticks_after_boot(), memory_.has_swap(), pressure);
    });
    guarded(Source::network,
            [&] { target_networks_.collect(context, targets, targets_.processes()); });
    about_itself(context);
    remove_empty(out);
    if (buffer_.capacity() > kKeptBuffer) Buffer().swap(buffer_);
  }

 private:
  template <class Work>
  void guarded(Source source, const Work& work) {
    try {
      work();
    } catch (const std::exception&) {
      errors_.count(source);
    }
  }

  void about_itself(Context& context) {
    Rows errors(context, "nearzero_resource_errors_total",
                "Readings of /proc, /sys and cgroup files that failed or made no sense.", kCounter);
    for (size_t i = 0; i < kSourceNames.size(); i++) {
      errors.add({{"source", kSourceNames[i]}},
                 static_cast<double>(errors_.of(static_cast<Source>(i))));
    }
    Rows summed(context, "nearzero_resource_summed",
                "Devices, mounts and interfaces beyond the limit, which share the row other.",
                kGauge);
    summed.add({{"source", "disks"}}, static_cast<double>(disks_.unnamed()));
    summed.add({{"source", "filesystems"}}, static_cast<double>(filesystems_.unnamed()));
    summed.add({{"source", "network"}}, static_cast<double>(network_.unnamed()));
  }

  Buffer buffer_;
  Errors errors_;
  Mounts mounts_;
  Cpu cpu_;
  Memory memory_;
  HostPressure pressure_;
  Disks disks_;
  Filesystems filesystems_;
  Network network_;
  OpenFiles open_files_;
  Targets targets_;
  TargetNetworks target_networks_;
};

Resources::Resources(const Paths& paths) : readers_(std::make_unique<Readers>(paths)) {}
Resources::~Resources() = default;

void Resources::collect(const std::vector<TargetProcesses>& targets,
                        std::vector<metrics::Family>& out) {
  const auto now = Clock::now();
  if (families_.empty() || now - last_ >= kAtMostEvery) {
    families_.clear();
    readers_->collect(targets, families_);
    last_ = now;
  }
  out.insert(out.end(), families_.begin(), families_.end());
}

}  // namespace nz::resources
