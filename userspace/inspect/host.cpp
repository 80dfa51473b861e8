#include "userspace/inspect/host.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "userspace/loader/object.h"
#include "userspace/sites/kernel.h"

namespace nz::inspect {
namespace {

using State = Row::State;

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

Row row_of(const std::string& name, const loader::Feature& feature, const std::string& good,
           State otherwise) {
  return feature.available ? Row{State::ok, name, good} : Row{otherwise, name, feature.reason};
}

// "[none] integrity confidentiality" -> "none"; empty where the kernel has no lockdown.
std::string lockdown() {
  const std::string line = first_line("/sys/kernel/security/lockdown");
  const size_t open = line.find('[');
  const size_t close = line.find(']');
  return open == std::string::npos || close == std::string::npos
             ? ""
             : line.substr(open + 1, close - open - 1);
}

uint64_t available_bytes() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  uint64_t kib = 0;
  std::string unit;
  while (file >> key >> kib) {
    if (key == "MemAvailable:") return kib * 1024;
    std::getline(file, unit);
  }
  return 0;
}

bool is_mounted(const std::string& type) {
  std::ifstream file("/proc/mounts");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string device;
    std::string where;
    std::string what;
    if (words >> device >> where >> what && what == type) return true;
  }
  return false;
}

Row agent_row(const std::string& runtime_dir) {
  const std::string pid = first_line(runtime_dir + "/agent.lock");
  if (!pid.empty() && access(("/proc/" + pid).c_str(), F_OK) == 0)
    return {State::ok, "agent", "runs as process " + pid};
  return {State::note, "agent", "none runs here (" + runtime_dir + ")"};
}

// As the agent loads them.
Result<std::unique_ptr<loader::Object>> load_all() {
  loader::Object::Options options;
  options.layout.cpus = loader::possible_cpus();
  options.layout.task_entries = loader::task_entries();
  return loader::Object::load(options);
}

void load_programs(Host& host) {
  auto object = load_all();
  if (!object) {
    host.rows.push_back({State::bad, "programs", object.error().text()});
    return;
  }
  const auto& refused = (*object)->refused();
  host.supported = refused.empty();
  for (const auto& [program, reason] : refused)
    host.rows.push_back({State::bad, "program " + program, reason});
  if (refused.empty()) host.rows.push_back({State::ok, "programs", "the kernel accepts them all"});
  const double mib = 1 << 20;
  host.rows.push_back(
      {State::ok, "memory",
       fmt::format("an agent's maps take {:.1f} MiB with {} CPUs, of {:.0f} MiB available",
                   static_cast<double>((*object)->map_bytes()) / mib, (*object)->layout().cpus,
                   static_cast<double>(available_bytes()) / mib)});
  host.prices = observe::calibrate(**object);
}

}  // namespace

Host look_at_host(const std::string& runtime_dir) {
  Host host;
  host.prices = observe::estimated_prices();
  const loader::Features features = loader::detect_features();
  const sites::KernelTraits traits = sites::detect();
  host.privileged = features.privilege.available;
  auto& rows = host.rows;
  rows.push_back({State::ok, "kernel", features.kernel});
  rows.push_back(row_of("privileges", features.privilege, "enough to load and attach", State::bad));
  rows.push_back(row_of("type information", features.btf, "/sys/kernel/btf/vmlinux", State::bad));
  rows.push_back(
      row_of("uprobe_multi", features.uprobe_multi, "many probes in one link", State::bad));
  rows.push_back(row_of("uprobe sessions", features.uprobe_session,
                        "entry and return in one program", State::note));
  if (traits.optimised_nop5)
    rows.push_back(
        {State::note, "nop5 probes",
         "this kernel replaces 5-byte NOPs under a probe by a CALL, which overwrites the "
         "red zone of leaf functions: such sites are avoided"});
  const std::string locked = lockdown();
  if (locked == "confidentiality")
    rows.push_back({State::bad, "lockdown",
                    "confidentiality: BPF programs may not read kernel memory; boot with "
                    "lockdown=integrity at most"});
  else
    rows.push_back({State::ok, "lockdown", locked.empty() ? "not in this kernel" : locked});
  for (const char* type : {"tracefs", "bpf"}) {
    const bool mounted = is_mounted(type);
    rows.push_back({mounted ? State::ok : State::note, type == std::string("bpf") ? "bpffs" : type,
                    mounted ? "mounted" : "not mounted; nearzero does without, peers do not"});
  }
  rows.push_back(agent_row(runtime_dir));
  if (features.privilege.available && features.btf.available) load_programs(host);
  return host;
}

observe::Prices prices_here() {
  const auto object = load_all();
  return object ? observe::calibrate(**object) : observe::estimated_prices();
}

}  // namespace nz::inspect
