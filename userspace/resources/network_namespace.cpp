#include "userspace/resources/network_namespace.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "userspace/resources/network.h"

namespace nz::resources {
namespace {

constexpr std::string_view kLoopback = "lo";  // the kernel's name for it in every namespace

using Read = std::vector<std::pair<const char*, uint64_t>>;

void see(const Read& read, std::map<std::string_view, Since>& known,
         std::map<std::string_view, uint64_t>& growth) {
  for (const auto& [event, value] : read) growth[event] += known[event].see(value);
}

}  // namespace

Result<std::string> network_namespace_of(const std::string& process) {
  const std::string link = process + "/ns/net";
  std::array<char, 64> name{};
  const ssize_t length = readlink(link.c_str(), name.data(), name.size());
  if (length < 0) return fail_errno("read " + link, errno);
  return std::string(name.data(), static_cast<size_t>(length));
}

NetworkCounts& NetworkCounts::operator+=(const NetworkCounts& more) {
  interfaces.resize(kInterfaceColumns);
  for (size_t i = 0; i < more.interfaces.size(); i++) interfaces[i] += more.interfaces[i];
  for (const auto& [event, n] : more.tcp) tcp[event] += n;
  for (const auto& [event, n] : more.udp) udp[event] += n;
  return *this;
}

// No interface has a name of its own: a target's figures are those of all of them.
NetworkNamespace::NetworkNamespace(std::string name)
    : name_(std::move(name)),
      interfaces_(std::vector(kInterfaceColumns, Bounded::Column::counter), 0) {}

std::optional<NetworkCounts> NetworkNamespace::read(Context& context, const std::string& process) {
  std::vector<Bounded::Item> items;
  Read tcp, udp;
  uint64_t malformed = 0;
  for (const char* name : {"dev", "snmp", "netstat"}) {
    // Never kept open: a descriptor would hold the namespace, and its interfaces, when the
    // container has ended.
    const auto text = File(process + "/net/" + name).read_once(context.buffer);
    if (!text) {
      context.errors.count(Source::network, text.error());
      return std::nullopt;
    }
    if (name == std::string_view("dev")) {
      items = parse_interfaces(*text, malformed);
      // Who is missing for one reading would count whole in the next.
      if (malformed > 0 || items.empty()) {
        context.errors.count(Source::network, std::max<uint64_t>(malformed, 1));
        return std::nullopt;
      }
      continue;
    }
    const Read more_tcp = parse_protocols(*text, tcp_counters(), malformed);
    uint64_t counted = 0;
    const Read more_udp = parse_protocols(*text, udp_counters(), counted);
    tcp.insert(tcp.end(), more_tcp.begin(), more_tcp.end());
    udp.insert(udp.end(), more_udp.begin(), more_udp.end());
  }
  context.errors.count(Source::network, malformed);
  // It may have moved, or its pid may be another's: then those were figures of elsewhere.
  const auto now = network_namespace_of(process);
  if (!now) context.errors.count(Source::network, now.error());
  if (!now || *now != name_) return std::nullopt;

  std::erase_if(items, [](const Bounded::Item& item) { return item.name == kLoopback; });
  interfaces_.update(items);
  NetworkCounts growth{Bounded::Row(kInterfaceColumns), {}, {}};
  for (size_t i = 0; i < counted_.size(); i++)
    growth.interfaces[i] = interfaces_.other()[i] - counted_[i];
  counted_ = interfaces_.other();
  see(tcp, tcp_, growth.tcp);
  see(udp, udp_, growth.udp);
  return growth;
}

}  // namespace nz::resources
