#include "userspace/agent/start_events.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "userspace/base/result.h"

namespace nz::agent {
namespace {

// A boot that may have been told is told again where it is this young, in seconds: what is older
// explains nothing of what is observed from now on.
constexpr double kYoung = 86400;
// Seconds that the time of one boot may differ by, when the clock was set after it. Where the boot
// of before is known to be another one, that is all that two starts measure differently: a host
// that boots twice within a minute is told of twice.
constexpr double kSameBoot = 60, kSameBootOfTwo = 5;

std::string line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// What was there at the last start, replaced by what is now; empty: nothing was. Error: the file
// cannot be read, and what it has stays for the next start to see.
Result<std::string> replaced(store::Store& store, const std::string& key, const std::string& now) {
  const auto before = store.find_state(key);
  if (!before) return tl::unexpected(before.error());
  std::string was = before->value_or("");
  if (!now.empty() && now != was)
    (void)store.put_state(key, now);  // told once more at the next start, if it cannot be kept
  return was;
}

// An earlier start told it by its age, and could not keep which boot it was.
bool is_told(const store::Store& store, double boot, double tolerance) {
  const auto events = store.events(boot - tolerance, boot + tolerance);
  return std::any_of(events.begin(), events.end(),
                     [](const analysis::Event& e) { return e.kind == "boot"; });
}

// Where nobody knows which boot the last start was in (the file cannot be read, was damaged and set
// aside, or this is the first start), its age decides: rather told twice than not at all.
bool is_news(const Result<std::string>& before, const std::string& boot_id, double up) {
  if (boot_id.empty()) return false;
  if (before && !before->empty()) return *before != boot_id;
  return up > 0 && up <= kYoung;
}

}  // namespace

std::vector<analysis::Event> start_events(double now, store::Store* store,
                                          const std::string& proc) {
  std::vector<analysis::Event> events;
  if (store != nullptr) {
    const std::string boot_id = line_of(proc + "/sys/kernel/random/boot_id");
    const double up = std::atof(line_of(proc + "/uptime").c_str());
    const auto boot = replaced(*store, "boot", boot_id);
    const double tolerance = boot && !boot->empty() ? kSameBootOfTwo : kSameBoot;
    if (is_news(boot, boot_id, up) && !is_told(*store, now - up, tolerance))
      events.push_back({now - up, "boot", "host", "the host started"});
    const std::string kernel = line_of(proc + "/sys/kernel/osrelease");
    const auto before = replaced(*store, "kernel", kernel);
    if (before && !before->empty() && !kernel.empty() && *before != kernel)
      events.push_back({now, "new_kernel", "host", "Linux " + kernel + ", before " + *before});
    if (!boot || !before) {
      spdlog::warn(
          "whether the host or its kernel is another since the last start is not known: "
          "{}; a boot of the last day is told, a kernel at the next start",
          (boot ? before : boot).error().text());
    }
  }
  events.push_back({now, "agent_start", "host", "nearzero " NZ_VERSION " started"});
  return events;
}

}  // namespace nz::agent
