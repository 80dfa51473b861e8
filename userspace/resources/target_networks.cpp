#include "userspace/resources/target_networks.h"

#include <algorithm>

#include "userspace/resources/mounts.h"
#include "userspace/resources/network.h"

namespace nz::resources {
namespace {

// Processes through which a namespace is tried to be read: the first may be about to end.
constexpr size_t kTries = 3;

}  // namespace

TargetNetworks::TargetNetworks(const Paths& paths)
    : proc_(paths.proc + "/"), host_process_(proc_ + host_process(paths)) {}

void TargetNetworks::collect(Context& context, const std::vector<TargetProcesses>& targets,
                             const Processes& processes) {
  if (!find_host(context)) return;
  round_++;
  const Spaces spaces = inhabited(processes);
  follow(spaces);
  read(context, spaces);
  show(context, targets);
}

bool TargetNetworks::find_host(Context& context) {
  if (!host_.empty()) return true;
  auto host = network_namespace_of(host_process_);
  if (!host) {
    context.errors.count(Source::network, host.error());
    return false;
  }
  host_ = std::move(*host);
  return true;
}

// Those that are not the host's; who lives in the host's and elsewhere is noted.
TargetNetworks::Spaces TargetNetworks::inhabited(const Processes& processes) {
  Spaces spaces;
  std::set<std::string> at_host;
  for (const auto& [pid, followed] : processes.followed()) {
    const std::string& name = followed.process.network();
    // A zombie has left it.
    if (!followed.present() || followed.process.usage().ended || name.empty()) continue;
    if (name == host_) {
      at_host.insert(followed.target);
      continue;
    }
    Inhabitants& inhabitants = spaces[name];
    inhabitants.targets.insert(followed.target);
    if (inhabitants.processes.size() < kTries)
      inhabitants.processes.push_back(proc_ + std::to_string(pid));
  }
  for (const auto& [name, inhabitants] : spaces) {
    for (const std::string& target : inhabitants.targets) targets_.try_emplace(target);
  }
  for (auto& [name, target] : targets_) {
    target.host = at_host.contains(name) ? 1 : 0;
    target.read = target.left_out = target.unreadable = 0;
  }
  return spaces;
}

// A namespace that nobody lives in any more is forgotten: its number may become another's.
void TargetNetworks::follow(const Spaces& spaces) {
  std::erase_if(known_, [&](const auto& entry) { return !spaces.contains(entry.first); });
  for (const auto& [name, inhabitants] : spaces) {
    if (!known_.contains(name)) known_.emplace(name, Known{NetworkNamespace(name)});
  }
}

std::set<std::string> TargetNetworks::due() const {
  std::vector<std::pair<uint64_t, std::string>> names;
  for (const auto& [name, known] : known_) names.emplace_back(known.read_in, name);
  std::sort(names.begin(), names.end());
  names.resize(std::min(names.size(), kReadAtOnce));
  std::set<std::string> result;
  for (auto& [read_in, name] : names) result.insert(std::move(name));
  return result;
}

void TargetNetworks::read(Context& context, const Spaces& spaces) {
  const std::set<std::string> due_now = due();
  for (auto& [name, known] : known_) {
    const Inhabitants& inhabitants = spaces.at(name);
    std::optional<NetworkCounts> growth;
    const bool is_due = due_now.contains(name);
    if (is_due) {
      known.read_in = round_;
      for (const std::string& process : inhabitants.processes) {
        growth = known.space.read(context, process);
        if (growth) break;
      }
    }
    for (const std::string& inhabitant : inhabitants.targets) {
      Target& target = targets_.at(inhabitant);
      (growth ? target.read : is_due ? target.unreadable : target.left_out)++;
      if (growth) target.counts += *growth;
    }
  }
}

void TargetNetworks::show(Context& context, const std::vector<TargetProcesses>& targets) const {
  Rows spaces(context, "nearzero_target_network_namespaces",
              "Network namespaces that a target lives in, if any is not the host's, by how they "
              "were read.",
              kGauge);
  Rows bytes(context, "nearzero_target_network_bytes_total",
             "Bytes through the interfaces of a target's own network namespaces.", kCounter);
  Rows packets(context, "nearzero_target_network_packets_total",
               "Packets through the interfaces of a target's own network namespaces.", kCounter);
  Rows errors(context, "nearzero_target_network_errors_total",
              "Packets with errors at the interfaces of a target's own network namespaces.",
              kCounter);
  Rows drops(context, "nearzero_target_network_drops_total",
             "Packets that the interfaces of a target's own network namespaces have dropped.",
             kCounter);
  Rows tcp(context, "nearzero_target_tcp_events_total",
           "TCP of a target's own network namespaces, by event.", kCounter);
  Rows udp(context, "nearzero_target_udp_events_total",
           "UDP of a target's own network namespaces, by event.", kCounter);
  for (const TargetProcesses& listed : targets) {
    const auto found = targets_.find(listed.name);
    if (found == targets_.end()) continue;
    const Target& target = found->second;
    for (const auto& [state, n] :
         {std::pair{"host", target.host}, std::pair{"read", target.read},
          std::pair{"left_out", target.left_out}, std::pair{"unreadable", target.unreadable}})
      spaces.add({{"target", listed.name}, {"state", state}}, static_cast<double>(n));
    if (target.counts.interfaces.empty()) continue;
    add_directions({&bytes, &packets, &errors, &drops}, {{"target", listed.name}},
                   target.counts.interfaces);
    for (const auto& [event, n] : target.counts.tcp)
      tcp.add({{"target", listed.name}, {"event", std::string(event)}}, static_cast<double>(n));
    for (const auto& [event, n] : target.counts.udp)
      udp.add({{"target", listed.name}, {"event", std::string(event)}}, static_cast<double>(n));
  }
}

}  // namespace nz::resources
