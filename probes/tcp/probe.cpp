// TCP by target: the smoothed round trip at each segment that comes in, how long connects take and
// how many fail, retransmits; and the bytes that TCP and UDP move for it.
#include "nearzero/tcp.h"

#include "probes/by_slot.h"
#include "probes/probe.h"
#include "probes/tcp/idle_limit.h"
#include "probes/tracing_links.h"

namespace nz::probes {
namespace {

class Tcp final : public Probe {
 public:
  explicit Tcp(const Env& env)
      : Probe(env),
        rows_(env, env.object.array<nz_hist>("nz_tcp_hists"), NZ_TCP_HISTS),
        counts_(env.object.array<nz_tcp_stats>("nz_tcp_counts")),
        links_(env.object) {}

  [[nodiscard]] std::string name() const override { return "tcp"; }

  void start() override {
    if (!wanted()) {
      links_.close();
      return;
    }
    if (links_.none()) env_.object.clear("nz_tcp_sockets");  // closed meanwhile
    links_.attach({"nz_tcp_state", "nz_tcp_retransmit", "nz_tcp_retransmit_synack"});
    if (tripped_) return;
    if (!polled_in_) links_.attach({"nz_socket_received"});
    if (!polled_out_) links_.attach({"nz_socket_sent"});
    links_.attach({"nz_tcp_segment"});
    // Before kernel 6.3, and where sockets are polled: whose a socket is, without what it moves.
    if (!links_.contains("nz_socket_received")) links_.attach({"nz_tcp_read"});
  }

  void stop() override {
    links_.close();
    tripped_ = polled_in_ = polled_out_ = false;
  }

  // Where sockets are polled, the bytes are not worth what every call in vain costs. Most polls are
  // reads; writes go where that was not enough.
  void tick() override {
    const uint64_t idle = env_.drain.counters().socket_idle;
    if (!idle_limit_.exceeded(tcp::IdleLimit::Clock::now(), idle)) return;
    if (links_.contains("nz_socket_received")) {
      polled_in_ = true;
      links_.close("nz_socket_received");
      links_.attach({"nz_tcp_read"});
    } else if (links_.contains("nz_socket_sent")) {
      polled_out_ = true;
      links_.close("nz_socket_sent");
    }
    // What came while they were closed is not the others'.
    idle_limit_.look(tcp::IdleLimit::Clock::now(), env_.drain.counters().socket_idle);
  }

  // Whoever it is for, the hooks tax every connection of the host: what follows the traffic goes.
  // Connects and retransmits stay, which are rare.
  void trip(uint32_t) override {
    tripped_ = true;
    for (const char* program :
         {"nz_tcp_segment", "nz_socket_received", "nz_socket_sent", "nz_tcp_read"})
      links_.close(program);
  }

  void collect(std::vector<metrics::Family>& out) const override {
    metrics::Family round_trip{
        "nearzero_tcp_round_trip_seconds",
        "Smoothed round trip of a connection in seconds, at each segment that comes in.",
        metrics::Type::histogram,
        {}};
    metrics::Family connect{"nearzero_tcp_connect_duration_seconds",
                            "Time from the first SYN to established in seconds.",
                            metrics::Type::histogram,
                            {}};
    rows_.add_histograms(round_trip, NZ_TCP_HIST_RTT);
    rows_.add_histograms(connect, NZ_TCP_HIST_CONNECT);
    out.push_back(std::move(round_trip));
    out.push_back(std::move(connect));
    const auto counter = [&](const char* family, const char* help, nz_u64 nz_tcp_stats::*field) {
      metrics::Family f{family, help, metrics::Type::counter, {}};
      rows_.add_counters(f, [&](uint32_t slot) { return sums(slot).*field; });
      out.push_back(std::move(f));
    };
    counter("nearzero_tcp_connect_failures_total",
            "Connects that ended before they were established: refused, timed out, given up.",
            &nz_tcp_stats::connects_failed);
    counter("nearzero_tcp_retransmits_total", "Segments that were sent again.",
            &nz_tcp_stats::retransmits);
    counter("nearzero_tcp_sockets_untracked_total",
            "Sockets of which neither the owner nor the start is known: too many at a time.",
            &nz_tcp_stats::no_room);
    out.push_back(bytes());
  }

  [[nodiscard]] std::vector<Cost> costs() const override {
    std::vector<Cost> result;
    for (uint32_t slot = 0; slot < NZ_SLOTS; slot++) {
      const nz_tcp_stats stats = sums(slot);
      const uint64_t hits = rows_.count(slot, NZ_TCP_HIST_RTT) + stats.unmeasured + stats.events;
      if (slot == 0 || hits != 0) result.push_back({slot, HitKind::tcp_event, hits});
    }
    result.push_back({0, HitKind::socket_idle, env_.drain.counters().socket_idle});
    return result;
  }

  [[nodiscard]] std::vector<Status> status() const override {
    if (!wanted()) return {};
    const bool segments = links_.contains("nz_tcp_segment");
    const std::string text = segments   ? "each segment in, connects, retransmits, bytes"
                             : tripped_ ? "tripped: over budget; connects and retransmits alone"
                                        : "off";
    std::vector<Status> rows = {
        {name(), "host", 0, segments && links_.contains("nz_tcp_state"), text + links_.failures()}};
    if (polled_in_) {
      rows.push_back(
          {name() + ":bytes", "host", 0, false,
           std::string(polled_out_ ? "bytes are" : "bytes received are") +
               " not counted: more than " + std::to_string(tcp::IdleLimit::kPerCpu) +
               " socket calls a second and online CPU moved nothing (sockets are "
               "polled), or were of other protocols than TCP and UDP; `nearzero off` and "
               "then `on` begin anew"});
    }
    return rows;
  }

 private:
  [[nodiscard]] metrics::Family bytes() const {
    metrics::Family family{
        "nearzero_socket_bytes_total",
        "Payload that send and receive calls moved, by protocol. Before kernel 6.3: nothing.",
        metrics::Type::counter,
        {}};
    struct Kind {
      nz_socket_bytes kind;
      const char* protocol;
      const char* direction;
    };
    for (const auto& [kind, protocol, direction] :
         {Kind{NZ_TCP_IN, "tcp", "in"}, Kind{NZ_TCP_OUT, "tcp", "out"},
          Kind{NZ_UDP_IN, "udp", "in"}, Kind{NZ_UDP_OUT, "udp", "out"}}) {
      rows_.add_counters(family, [&, kind = kind](uint32_t slot) { return sums(slot).bytes[kind]; },
                         {{"protocol", protocol}, {"direction", direction}});
    }
    return family;
  }

  [[nodiscard]] bool wanted() const {
    return env_.drain.layout().host || !env_.tracker.slots().empty();
  }

  [[nodiscard]] nz_tcp_stats sums(uint32_t slot) const {
    return drain::Drain::sum_shards<nz_tcp_stats>(counts_, NZ_SLOTS, slot);
  }

  BySlot rows_;
  std::span<const nz_tcp_stats> counts_;
  TracingLinks links_;
  bool tripped_ = false;
  bool polled_in_ = false, polled_out_ = false;
  tcp::IdleLimit idle_limit_;
};

}  // namespace

std::unique_ptr<Probe> make_tcp(const Env& env) { return std::make_unique<Tcp>(env); }

}  // namespace nz::probes
