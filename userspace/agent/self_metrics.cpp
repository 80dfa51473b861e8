#include "userspace/agent/self_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "userspace/agent/target_info.h"

namespace nz::agent {
namespace {

using metrics::Family;
using metrics::Type;

struct DropName {
  const char* probe;
  const char* cause;
};

// In the order of enum nz_drop. "Rebuilt" and "other" are recorded all the same: they are degraded,
// not lost, and shown for honesty.
constexpr std::array<DropName, NZ_AGENT_DROPS> kDrops = {
    {{"scheduler", "task_collision"},
     {"scheduler", "off_cpu_began_before_attach"},
     {"scheduler", "missed_switch_rebuilt"},
     {"scheduler", "negative_duration"},
     {"events", "ring_full"},
     {"events", "targets_full"},
     {"syscalls", "exit_without_enter"},
     {"syscalls", "recorded_as_other"},
     {"uprobes", "threads_full"},
     {"sqlite", "statement_recorded_as_other"},
     {"sqlite", "statement_text_unreadable"},
     {"core", "series_out_of_range"},
     {"profile", "stacks_full"}}};

double missed_by_all(const SelfState& state) {
  double sum = 0;
  for (const auto& [program, hits] : state.missed) sum += static_cast<double>(hits);
  return sum;
}

double own_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double own_resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void collect_attachments(const SelfState& state, std::vector<Family>& out) {
  // Several processes of one target share a row: attached only if all are.
  std::map<std::pair<std::string, std::string>, bool> attached;
  for (const auto& probe : state.probes) {
    for (const probes::Status& s : probe->status()) {
      const auto [row, fresh] = attached.emplace(std::pair{s.probe, s.target}, s.attached);
      if (!fresh) row->second = row->second && s.attached;
    }
  }
  Family family{"nearzero_probe_attached",
                "1 if the probe is attached, 0 if it is degraded or off; /healthz says why.",
                Type::gauge,
                {}};
  for (const auto& [key, on] : attached) {
    family.samples.push_back(
        {{{"probe", key.first}, {"target", key.second}}, on ? 1.0 : 0.0, nullptr});
  }
  out.push_back(std::move(family));
}

void collect_cost(const SelfState& state, std::vector<Family>& out) {
  Family seconds{"nearzero_probe_cost_seconds_total",
                 "CPU seconds spent in the kernel by a probe: hits times calibrated price.",
                 Type::counter,
                 {}};
  Family share{"nearzero_probe_cost_ratio",
               "Share of one core that the probe took during the last drain interval.",
               Type::gauge,
               {}};
  Family tripped{
      "nearzero_probe_tripped", "1 for a probe that the breaker has detached.", Type::gauge, {}};
  const auto labels = [&](const analysis::Breaker::Key& key) {
    return metrics::Labels{{"probe", key.first}, {"target", state.env.target_name(key.second)}};
  };
  for (const auto& [key, value] : state.ledger.seconds()) {
    seconds.samples.push_back({labels(key), value, nullptr});
    tripped.samples.push_back(
        {labels(key), state.ledger.breaker().tripped(key) ? 1.0 : 0.0, nullptr});
  }
  for (const auto& [key, value] : state.ledger.share())
    share.samples.push_back({labels(key), value, nullptr});
  out.push_back(std::move(seconds));
  out.push_back(std::move(share));
  out.push_back(std::move(tripped));

  Family price{"nearzero_probe_hit_seconds",
               "Price of one hit on this host in seconds; measured at start, or an estimate.",
               Type::gauge,
               {}};
  static const std::map<probes::HitKind, const char*> kNames = {
      {probes::HitKind::context_switch, "context_switch"},
      {probes::HitKind::syscall_target, "syscall_target"},
      {probes::HitKind::syscall_other, "syscall_other"},
      {probes::HitKind::lifecycle, "lifecycle"},
      {probes::HitKind::uprobe, "uprobe"},
      {probes::HitKind::uprobe_stepped, "uprobe_single_stepped"},
      {probes::HitKind::with_return, "uprobe_with_return"},
      {probes::HitKind::with_return_stepped, "uprobe_with_return_single_stepped"},
      {probes::HitKind::returned, "return"},
      {probes::HitKind::block_request, "block_request"},
      {probes::HitKind::tcp_event, "tcp_event"},
      {probes::HitKind::socket_idle, "socket_idle"},
      {probes::HitKind::profile_sample, "profile_sample"},
      {probes::HitKind::profile_other, "profile_other"}};
  for (const auto& [kind, ns] : state.ledger.prices().ns) {
    price.samples.push_back(
        {{{"kind", kNames.at(kind)},
          {"measured", state.ledger.prices().measured.contains(kind) ? "true" : "false"}},
         ns / 1e9,
         nullptr});
  }
  out.push_back(std::move(price));
}

// Only those that have something to observe: the others have no hits, and no row in the account.
void collect_duty(const SelfState& state, std::vector<Family>& out) {
  Family ratio{"nearzero_probe_duty_ratio",
               "Part of the time in which the probe observes the target, to hold the budget.",
               Type::gauge,
               {}};
  Family observed{"nearzero_probe_observed_seconds_total",
                  "Seconds in which the probe observed the target: counts divided by it are rates.",
                  Type::counter,
                  {}};
  for (const auto& probe : state.probes) {
    if (!probe->has_duty_cycle()) continue;
    for (const auto& [slot, duty] : state.duty) {
      if (!state.ledger.seconds().contains({probe->name(), slot})) continue;
      const metrics::Labels labels{{"probe", probe->name()},
                                   {"target", state.env.target_name(slot)}};
      ratio.samples.push_back({labels, duty.ratio, nullptr});
      observed.samples.push_back({labels, duty.observed_seconds, nullptr});
    }
  }
  out.push_back(std::move(ratio));
  out.push_back(std::move(observed));
}

void gauge(std::vector<Family>& out, const char* name, const char* help, Type type, double value) {
  out.push_back({name, help, type, {{{}, value, nullptr}}});
}

}  // namespace

void collect_self(const SelfState& state, std::vector<Family>& out) {
  collect_attachments(state, out);
  collect_cost(state, out);
  collect_duty(state, out);
  Family drops{"nearzero_drops_total",
               "Events that were not recorded, or recorded in a degraded way, by cause.",
               Type::counter,
               {}};
  const nz_counters counters = state.env.drain.counters();
  for (size_t i = 0; i < NZ_AGENT_DROPS; i++) {
    drops.samples.push_back({{{"probe", kDrops[i].probe}, {"cause", kDrops[i].cause}},
                             static_cast<double>(counters.drops[i]),
                             nullptr});
  }
  drops.samples.push_back({{{"probe", "events"}, {"cause", "exec_left_to_scan"}},
                           static_cast<double>(state.execs_skipped),
                           nullptr});
  drops.samples.push_back(
      {{{"probe", "programs"}, {"cause", "interrupted_itself"}}, missed_by_all(state), nullptr});
  out.push_back(std::move(drops));

  Family members{
      "nearzero_target_processes", "Processes that belong to the target now.", Type::gauge, {}};
  for (const uint32_t slot : state.env.tracker.slots()) {
    double n = 0;
    for (const auto& [pid, member] : state.env.tracker.members()) n += member.slot == slot ? 1 : 0;
    members.samples.push_back({{{"target", state.env.target_name(slot)}}, n, nullptr});
  }
  out.push_back(std::move(members));

  collect_target_info(state.env.tracker, out);

  Family build{"nearzero_build_info",
               "Version of the agent and of the kernel it runs on; the value is 1.",
               Type::gauge,
               {}};
  build.samples.push_back({{{"version", NZ_VERSION}, {"kernel", state.kernel}}, 1, nullptr});
  out.push_back(std::move(build));

  gauge(out, "nearzero_agent_cpu_seconds_total", "CPU seconds of the agent's own process.",
        Type::counter, own_cpu_seconds());
  gauge(out, "nearzero_agent_resident_memory_bytes", "Resident memory of the agent's process.",
        Type::gauge, own_resident_bytes());
  gauge(out, "nearzero_map_memory_bytes", "Kernel memory of all BPF maps.", Type::gauge,
        static_cast<double>(state.map_bytes));
  gauge(out, "nearzero_drain_duration_seconds", "Duration of the last drain in seconds.",
        Type::gauge, state.drain_seconds);
  gauge(out, "nearzero_agent_errors_total",
        "Steps of the agent that failed unexpectedly and were left out; its log says which.",
        Type::counter, static_cast<double>(state.errors));
  gauge(out, "nearzero_off", "1 while `nearzero off` holds.", Type::gauge, state.off ? 1 : 0);
  gauge(out, "nearzero_http_requests_total", "HTTP requests answered.", Type::counter,
        static_cast<double>(state.http.requests));
  gauge(out, "nearzero_http_connections", "HTTP connections open now.", Type::gauge,
        static_cast<double>(state.http.connections_open));
  gauge(out, "nearzero_http_answer_seconds_total", "Seconds spent in answering HTTP requests.",
        Type::counter, state.http.answer_seconds);
  Family rejected{"nearzero_http_rejected_total",
                  "HTTP requests and connections that were turned away, by cause.",
                  Type::counter,
                  {}};
  for (size_t i = 0; i < http::kRejections; i++) {
    rejected.samples.push_back({{{"cause", http::name_of(static_cast<http::Rejection>(i))}},
                                static_cast<double>(state.http.rejected[i]),
                                nullptr});
  }
  out.push_back(std::move(rejected));
  if (state.certificate_expires > 0) {
    gauge(out, "nearzero_http_certificate_expires_seconds",
          "When the certificate ends to be valid, in seconds since 1970.", Type::gauge,
          state.certificate_expires);
  }
}

std::string health_json(const SelfState& state, bool& healthy) {
  nlohmann::ordered_json j;
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  healthy = true;
  for (const auto& probe : state.probes) {
    for (const probes::Status& s : probe->status()) {
      nlohmann::ordered_json row{
          {"probe", s.probe}, {"target", s.target}, {"attached", s.attached}, {"detail", s.text}};
      if (s.pid != 0) row["pid"] = s.pid;
      rows.push_back(std::move(row));
      healthy = healthy && s.attached;
    }
  }
  nlohmann::ordered_json refused = nlohmann::ordered_json::object();
  for (const auto& [program, reason] : state.refused) refused[program] = reason;
  nlohmann::ordered_json missed = nlohmann::ordered_json::object();
  for (const auto& [program, hits] : state.missed) missed[program] = hits;
  healthy = healthy && refused.empty();
  nlohmann::ordered_json tripped = nlohmann::ordered_json::array();
  for (const auto& [key, share] : state.ledger.breaker().tripped()) {
    tripped.push_back({{"probe", key.first},
                       {"target", state.env.target_name(key.second)},
                       {"share_of_core", share}});
  }
  nlohmann::ordered_json duty = nlohmann::ordered_json::object();
  for (const auto& [slot, s] : state.duty) duty[state.env.target_name(slot)] = s.ratio;
  nlohmann::ordered_json drops = nlohmann::ordered_json::object();
  const nz_counters counters = state.env.drain.counters();
  for (size_t i = 0; i < NZ_AGENT_DROPS; i++) {
    if (counters.drops[i] != 0)
      drops[std::string(kDrops[i].probe) + "." + kDrops[i].cause] = counters.drops[i];
  }
  nlohmann::ordered_json members = nlohmann::ordered_json::array();
  for (const auto& [pid, member] : state.env.tracker.members()) {
    members.push_back({{"pid", pid},
                       {"comm", member.process.comm},
                       {"target", state.env.target_name(member.slot)},
                       {"by_fork", member.by_fork}});
  }
  j["status"] = state.off ? "off" : healthy ? "ok" : "degraded";
  j["version"] = NZ_VERSION;
  j["kernel"] = state.kernel;
  j["probes"] = std::move(rows);
  j["refused_programs"] = std::move(refused);
  j["missed_hits"] = std::move(missed);
  j["tripped"] = std::move(tripped);
  j["duty_ratio"] = std::move(duty);
  j["processes"] = std::move(members);
  j["drops"] = std::move(drops);
  return j.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace nz::agent
