#include "userspace/resources/network.h"

#include <unistd.h>

#include "userspace/resources/mounts.h"
#include "userspace/resources/text.h"

namespace nz::resources {
namespace {

constexpr size_t kMostInterfaceNames = 4096;

// Names and values, word by word.
bool pair_up(std::string_view names, std::string_view values,
             const std::vector<ProtocolCounter>& wanted,
             std::vector<std::pair<const char*, uint64_t>>& found) {
  Words name_words(names);
  Words value_words(values);
  const std::string_view protocol = name_words.next();
  if (value_words.next() != protocol) return false;
  for (;;) {
    const std::string_view name = name_words.next();
    const std::string_view value = value_words.next();
    if (name.empty() || value.empty()) return name.empty() && value.empty();
    for (const ProtocolCounter& counter : wanted) {
      if (counter.protocol != protocol || counter.key != name) continue;
      const auto number = number_of(value);
      if (!number) return false;
      found.emplace_back(counter.event, *number);
    }
  }
}

}  // namespace

const std::vector<ProtocolCounter>& tcp_counters() {
  static const std::vector<ProtocolCounter> kCounters = {
      {"Tcp:", "OutSegs", "segments_out"},
      {"Tcp:", "InSegs", "segments_in"},
      {"Tcp:", "RetransSegs", "retransmits"},
      {"Tcp:", "ActiveOpens", "connects"},
      {"Tcp:", "PassiveOpens", "accepts"},
      {"Tcp:", "AttemptFails", "connects_failed"},
      {"Tcp:", "EstabResets", "resets"},
      {"Tcp:", "OutRsts", "resets_sent"},
      {"Tcp:", "InErrs", "segments_bad"},
      {"TcpExt:", "ListenOverflows", "listen_overflows"},
      {"TcpExt:", "ListenDrops", "listen_drops"},
      {"TcpExt:", "TCPTimeouts", "timeouts"},
      {"TcpExt:", "TCPSynRetrans", "syn_retransmits"},
      {"TcpExt:", "TCPBacklogDrop", "backlog_drops"},
      {"TcpExt:", "TCPRcvQDrop", "receive_queue_drops"},
      {"TcpExt:", "TCPAbortOnMemory", "aborts_on_memory"}};
  return kCounters;
}

const std::vector<ProtocolCounter>& udp_counters() {
  static const std::vector<ProtocolCounter> kCounters = {
      {"Udp:", "InDatagrams", "datagrams_in"},
      {"Udp:", "OutDatagrams", "datagrams_out"},
      {"Udp:", "NoPorts", "no_port"},
      {"Udp:", "InErrors", "errors_in"},
      {"Udp:", "RcvbufErrors", "receive_buffer_full"},
      {"Udp:", "SndbufErrors", "send_buffer_full"}};
  return kCounters;
}

std::optional<Bounded::Item> parse_interface(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Bounded::Item item;
  item.name = Words(line.substr(0, colon)).next();
  if (item.name.empty()) return std::nullopt;
  Words words(line.substr(colon + 1));
  std::array<uint64_t, 16> all{};
  for (uint64_t& value : all) {
    const auto number = words.number();
    if (!number) return std::nullopt;
    value = *number;
  }
  item.values = {all[0], all[1], all[2], all[3], all[8], all[9], all[10], all[11]};
  return item;
}

std::vector<Bounded::Item> parse_interfaces(std::string_view text, uint64_t& malformed) {
  std::vector<Bounded::Item> items;
  Lines lines(text);
  lines.next();  // two lines of headings
  lines.next();
  while (const auto line = lines.next()) {
    if (auto item = parse_interface(*line)) {
      items.push_back(std::move(*item));
    } else {
      malformed++;
    }
  }
  malformed += lines.torn() ? 1 : 0;
  return items;
}

void add_directions(const std::array<Rows*, 4>& families, const metrics::Labels& labels,
                    const Bounded::Row& columns) {
  for (size_t i = 0; i < kInterfaceColumns; i++) {
    metrics::Labels all = labels;
    all.emplace_back("direction", i < 4 ? "in" : "out");
    families[i % 4]->add(std::move(all), columns[i]);
  }
}

std::vector<std::pair<const char*, uint64_t>> parse_protocols(
    std::string_view text, const std::vector<ProtocolCounter>& wanted, uint64_t& malformed) {
  std::vector<std::pair<const char*, uint64_t>> found;
  Lines lines(text);
  while (const auto names = lines.next()) {
    const auto values = lines.next();
    if (!values || !pair_up(*names, *values, wanted, found)) malformed++;
  }
  malformed += lines.torn() ? 1 : 0;
  return found;
}

Network::Network(const Paths& paths)
    : paths_(paths), bounded_(std::vector(kInterfaceColumns, Bounded::Column::counter), kNamed) {
  const std::string net = paths.proc + "/" + host_process(paths) + "/net/";
  dev_ = File(net + "dev");
  snmp_ = File(net + "snmp");
  netstat_ = File(net + "netstat");
}

bool Network::has_hardware(const std::string& name) {
  if (hardware_.size() > kMostInterfaceNames) hardware_.clear();
  const auto [known, fresh] = hardware_.try_emplace(name, false);
  if (fresh)
    known->second = access((paths_.sys + "/class/net/" + name + "/device").c_str(), F_OK) == 0;
  return known->second;
}

void Network::collect(Context& context) {
  interfaces(context);
  protocols(context);
}

void Network::interfaces(Context& context) {
  const auto text = dev_.read(context.buffer);
  if (!text) {
    context.errors.count(Source::network);
    return;
  }
  uint64_t malformed = 0;
  std::vector<Bounded::Item> items = parse_interfaces(*text, malformed);
  context.errors.count(Source::network, malformed);
  for (Bounded::Item& item : items) item.preferred = has_hardware(item.name);
  bounded_.update(items);

  Rows bytes(context, "nearzero_network_bytes_total", "Bytes through an interface.", kCounter);
  Rows packets(context, "nearzero_network_packets_total", "Packets through an interface.",
               kCounter);
  Rows errors(context, "nearzero_network_errors_total", "Packets with errors at an interface.",
              kCounter);
  Rows drops(context, "nearzero_network_drops_total", "Packets that an interface has dropped.",
             kCounter);
  const std::array<Rows*, 4> families = {&bytes, &packets, &errors, &drops};
  for (const auto& [name, row] : bounded_.named())
    add_directions(families, {{"interface", name}}, row);
  if (bounded_.has_other()) add_directions(families, {{"interface", "other"}}, bounded_.other());
}

void Network::protocols(Context& context) {
  Rows tcp(context, "nearzero_tcp_events_total", "TCP of the host since boot, by event.", kCounter);
  Rows udp(context, "nearzero_udp_events_total", "UDP of the host since boot, by event.", kCounter);
  for (File* file : {&snmp_, &netstat_}) {
    const auto text = file->read(context.buffer);
    if (!text) {
      context.errors.count(Source::network);
      continue;
    }
    uint64_t malformed = 0;
    for (const auto& [event, value] : parse_protocols(*text, tcp_counters(), malformed)) {
      tcp.add({{"event", event}}, static_cast<double>(value));
    }
    uint64_t counted = 0;
    for (const auto& [event, value] : parse_protocols(*text, udp_counters(), counted)) {
      udp.add({{"event", event}}, static_cast<double>(value));
    }
    context.errors.count(Source::network, malformed);
  }
}

}  // namespace nz::resources
