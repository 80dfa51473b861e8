#include "userspace/agent/start_events.h"

#include <fstream>

namespace nz::agent {
namespace {

std::string line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// What was there at the last start, replaced by what is now; nothing: it was the same, or unknown.
std::string replaced(store::Store& store, const std::string& key, const std::string& now) {
  const std::string before = store.get_state(key).value_or("");
  if (now.empty() || now == before) return {};
  (void)store.put_state(key, now);  // told once more at the next start, if it cannot be kept
  return before;
}

}  // namespace

std::vector<analysis::Event> start_events(double now, store::Store* store,
                                          const std::string& proc) {
  std::vector<analysis::Event> events;
  if (store != nullptr) {
    if (!replaced(*store, "boot", line_of(proc + "/sys/kernel/random/boot_id")).empty()) {
      const double up = std::atof(line_of(proc + "/uptime").c_str());
      events.push_back({now - up, "boot", "host", "the host started"});
    }
    const std::string kernel = line_of(proc + "/sys/kernel/osrelease");
    if (const std::string before = replaced(*store, "kernel", kernel); !before.empty())
      events.push_back({now, "new_kernel", "host", "Linux " + kernel + ", before " + before});
  }
  events.push_back({now, "agent_start", "host", "nearzero " NZ_VERSION " started"});
  return events;
}

}  // namespace nz::agent
