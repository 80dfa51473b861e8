// Interfaces, TCP and UDP of the host's network namespace.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/resources/bounded.h"
#include "userspace/resources/context.h"

namespace nz::resources {

/// What a row of /proc/net/dev becomes: bytes, packets, errors, drops in, then the same out.
inline constexpr size_t kInterfaceColumns = 8;
std::optional<Bounded::Item> parse_interface(std::string_view line);
/// All rows of the text; what is none is counted in `malformed`.
std::vector<Bounded::Item> parse_interfaces(std::string_view text, uint64_t& malformed);
/// Adds an interface's columns to the families of bytes, packets, errors and drops.
void add_directions(const std::array<Rows*, 4>& families, const metrics::Labels& labels,
                    const Bounded::Row& columns);

/// A counter of /proc/net/snmp or /proc/net/netstat and the label that it becomes.
struct ProtocolCounter {
  std::string_view protocol;  ///< "Tcp:"
  std::string_view key;       ///< "RetransSegs"
  const char* event;          ///< "retransmits"
};
/// Those that are exported.
const std::vector<ProtocolCounter>& tcp_counters();
const std::vector<ProtocolCounter>& udp_counters();
/// Event and value of those of `wanted` that the text has, where a line of names and a line of
/// values follow each other. Lines that do not fit together are counted in `malformed`.
std::vector<std::pair<const char*, uint64_t>> parse_protocols(
    std::string_view text, const std::vector<ProtocolCounter>& wanted, uint64_t& malformed);

class Network {
 public:
  static constexpr size_t kNamed = 24;  ///< interfaces with rows of their own

  explicit Network(const Paths& paths);
  void collect(Context& context);
  [[nodiscard]] size_t unnamed() const { return bounded_.unnamed(); }

 private:
  void interfaces(Context& context);
  void protocols(Context& context);
  bool has_hardware(const std::string& name);

  Paths paths_;
  File dev_, snmp_, netstat_;
  Bounded bounded_;
  std::map<std::string, bool> hardware_;  // by name: what /sys said once
};

}  // namespace nz::resources
