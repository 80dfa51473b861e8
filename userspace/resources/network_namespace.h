// A network namespace that is not the host's, read through a process that lives in it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/resources/bounded.h"
#include "userspace/resources/context.h"
#include "userspace/resources/growth.h"

namespace nz::resources {

/// The network namespace of a process's first thread as the kernel names it, with its inode:
/// "net:[4026531840]". `process`: its folder, "/proc/42". Error: errno of readlink (ENOENT: it has
/// ended, or the kernel has no such namespaces; EACCES: it is not ours to look at).
Result<std::string> network_namespace_of(const std::string& process);

/// What the interfaces and the protocols of namespaces counted.
struct NetworkCounts {
  Bounded::Row interfaces;  ///< columns of parse_interface(), all but the loopback's summed
  std::map<std::string_view, uint64_t> tcp, udp;  ///< by event

  NetworkCounts& operator+=(const NetworkCounts& more);
};

class NetworkNamespace {
 public:
  /// `name`: as network_namespace_of() tells it.
  explicit NetworkNamespace(std::string name);

  /// Reads /proc/PID/net/{dev,snmp,netstat}; `process`: "/proc/PID". The growth since the last
  /// reading, of the first one zero; what only an interface that came since has, counts whole.
  /// Nothing: the process has left the namespace or has ended, or a file could not be read or made
  /// no sense (counted as Source::network); then the next growth has it.
  std::optional<NetworkCounts> read(Context& context, const std::string& process);

 private:
  using Events = std::map<std::string_view, Since>;

  std::string name_;
  Bounded interfaces_;
  Bounded::Row counted_;  // of the interfaces at the last reading; empty: there was none
  Events tcp_, udp_;
};

}  // namespace nz::resources
