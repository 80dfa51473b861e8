// Families of targets that live in other network namespaces than the host's (containers): what
// their interfaces, TCP and UDP counted. Whoever shares the host's is in the families of Network.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "userspace/resources/network_namespace.h"
#include "userspace/resources/processes.h"

namespace nz::resources {

class TargetNetworks {
 public:
  /// Namespaces read in one collection, those that were read longest ago first: with more of them,
  /// figures are that much older, and the cost stays.
  static constexpr size_t kReadAtOnce = 64;

  explicit TargetNetworks(const Paths& paths);
  /// `processes`: read in this collection. A namespace that many processes and targets share is
  /// read once.
  void collect(Context& context, const std::vector<TargetProcesses>& targets,
               const Processes& processes);

 private:
  struct Inhabitants {
    std::vector<std::string> processes;  ///< folders of some
    std::set<std::string> targets;
  };
  struct Known {
    NetworkNamespace space;
    uint64_t read_in = 0;  ///< the collection in which it was due last
  };
  /// Of a target that has ever lived in another namespace than the host's.
  struct Target {
    size_t host = 0, read = 0, left_out = 0, unreadable = 0;  ///< namespaces, at this moment
    NetworkCounts counts;  ///< since it was first seen there; empty: never read
  };
  using Spaces = std::map<std::string, Inhabitants>;

  [[nodiscard]] bool find_host(Context& context);
  [[nodiscard]] Spaces inhabited(const Processes& processes);
  void follow(const Spaces& spaces);
  [[nodiscard]] std::set<std::string> due() const;
  void read(Context& context, const Spaces& spaces);
  void show(Context& context, const std::vector<TargetProcesses>& targets) const;

  std::string proc_, host_process_;
  std::string host_;  // its namespace; empty: not known
  std::map<std::string, Known> known_;
  std::map<std::string, Target> targets_;
  uint64_t round_ = 0;
};

}  // namespace nz::resources
