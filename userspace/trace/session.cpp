#include "userspace/trace/session.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "userspace/base/clock.h"
#include "userspace/base/closing.h"

namespace nz::trace {
namespace {

// More slow events than this between two looks tell less than their number.
constexpr size_t kMostSlow = 1000;

// nz_sock_owner of bpf/trace_tcp.bpf.c.
struct SocketOwner {
  uint32_t tgid, tid;
  std::array<char, 16> comm;
};

std::string local_time(uint64_t monotonic_at) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const auto realtime =
      static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
  const uint64_t at = realtime - (monotonic_ns() - monotonic_at);
  return fmt::format("{:%H:%M:%S}.{:06}", fmt::localtime(static_cast<time_t>(at / 1'000'000'000)),
                     at % 1'000'000'000 / 1000);
}

}  // namespace

Session::Session(const Request& request) : request_(request) {}
Session::~Session() { detach(); }

Result<void> Session::load() {
  auto calls = find_calls(request_, request_.match.pid, prices_);
  if (!calls) {
    Error error = calls.error();
    if (error.code == 0) error.code = ENOENT;  // no such function, or none that can be probed
    return tl::unexpected(std::move(error));
  }
  calls_ = std::move(*calls);
  const loader::Object::Options options = object_options(request_, calls_);
  auto object = loader::Object::load(options);
  if (!object) return tl::unexpected(object.error());
  for (const std::string& program : options.only) {
    const auto refused = (*object)->refused().find(program);
    if (refused != (*object)->refused().end() && program != "nz_sqlite_halt" &&
        program != "nz_sqlite_wait" && program != "nz_sqlite_begin")
      return fail("the kernel refuses " + program, refused->second, ENOTSUP);
  }
  auto observer = observe::Observer::open(std::move(*object), guard_);
  if (!observer) return tl::unexpected(observer.error());
  observer_ = std::move(*observer);
  recorder_ = std::make_unique<Recorder>(observer_->object(), request_.by_cpu);
  names_ = std::make_unique<Names>(observer_->object(), request_, calls_.kinds);
  observer_->listen(
      [this](const nz_event& e, std::span<const std::byte> bytes) { on_event(e, bytes); });
  return {};
}

Estimate Session::estimate() {
  return trace::estimate(request_, calls_, observer_->object(), request_.match.pid.value_or(0),
                         prices_);
}

Result<void> Session::attach() {
  loader::Object& object = observer_->object();
  observer_->configure(observed_targets(request_));
  observer_->start();
  if (request_.match.empty() && wants(request_, Kind::syscalls)) {
    // Everybody is target 1; the probe itself knows targets by name only.
    object.control().wants_syscalls[1] = NZ_WANTS_ALL;
    object.control().syscalls_since = monotonic_ns();
    for (const char* program : {"nz_sys_exit", "nz_sys_enter"}) {
      auto link = object.attach_tracing(program);
      if (!link) return tl::unexpected(link.error());
      links_.push_back(std::move(*link));
    }
  }
  tell_socket_owners();
  for (const std::string& program : tracing_programs(request_)) {
    auto link = object.attach_tracing(program);
    if (!link) return tl::unexpected(link.error());
    links_.push_back(std::move(*link));
  }
  // One process is named to the kernel; of several the program itself tells members from others.
  const pid_t pid = request_.match.pid.value_or(0);
  for (const CallProbe& probe : calls_.probes) {
    auto link = object.attach_uprobes(probe.program, probe.path, pid, probe.sites);
    if (!link) return tl::unexpected(link.error());
    links_.push_back(std::move(*link));
  }
  return {};
}

void Session::detach() {
  if (!observer_) return;
  {
    const ClosingTogether together(ClosingTogether::Wait::until_closed);
    // Beginnings first: what has begun may still end.
    while (!links_.empty()) links_.pop_back();
  }
  if (!observer_->stopped()) observer_->stop();
}

void Session::tell_socket_owners() {
  if (!wants(request_, Kind::tcp)) return;
  const int map = observer_->object().map_fd("nz_sock_owners");
  std::vector<pid_t> pids;
  for (const auto& [pid, member] : observer_->tracker().members()) pids.push_back(pid);
  if (request_.match.empty()) pids = targets::list_processes();
  for (const pid_t pid : pids) {
    const auto process = targets::read_process(pid);
    const std::string folder = "/proc/" + std::to_string(pid) + "/fd";
    DIR* dir = process ? opendir(folder.c_str()) : nullptr;
    if (dir == nullptr) continue;
    SocketOwner owner{static_cast<uint32_t>(pid), static_cast<uint32_t>(pid), {}};
    std::strncpy(owner.comm.data(), process->comm.c_str(), owner.comm.size() - 1);
    while (const dirent* entry = readdir(dir)) {  // NOLINT(concurrency-mt-unsafe): own DIR
      struct stat info {};
      if (stat((folder + "/" + entry->d_name).c_str(), &info) != 0 || !S_ISSOCK(info.st_mode))
        continue;
      const uint64_t inode = info.st_ino;
      bpf_map_update_elem(map, &inode, &owner, BPF_ANY);
    }
    closedir(dir);
  }
}

// ---- what comes back
// -------------------------------------------------------------------------

double Session::collect(Interval& interval) {
  if (!observer_->stopped())
    observer_->tick();
  else
    __atomic_fetch_add(&observer_->object().control().epoch, 1, __ATOMIC_RELEASE);
  if (!request_.match.empty() && !observer_->stopped()) tell_socket_owners();
  Rows fresh;
  recorder_->take(fresh);
  for (auto& [key, histogram] : fresh) {
    value_ns_ += value_ns(key.series) * static_cast<double>(histogram.count());
    interval.rows[key].merge(histogram);
  }
  auto now = lost();
  for (const auto& [cause, count] : now) {
    const auto before = lost_.find(cause);
    const uint64_t more = count - (before == lost_.end() ? 0 : before->second);
    if (more != 0) interval.lost[cause] += more;
  }
  lost_ = std::move(now);
  const double cost = total_cost();
  const double more = cost - cost_;
  cost_ = cost;
  interval.cost += more;
  return more;
}

// One value of a series: by key, and the program that brought it where no probe accounts for it.
double Session::value_ns(uint32_t series) const {
  const loader::Layout& layout = observer_->object().layout();
  if (series >= NZ_TRACE_CALL || series < layout.syscall_base()) return kKeyNs;
  return kKeyNs + prices_.ns.at(series < NZ_TRACE_BLOCK ? probes::HitKind::syscall_target
                                                        : probes::HitKind::syscall_other);
}

double Session::total_cost() const {
  double ns = value_ns_;
  for (const auto& probe : observer_->probes()) {
    for (const probes::Cost& cost : probe->costs()) {
      const auto price = prices_.ns.find(cost.kind);
      if (price != prices_.ns.end()) ns += static_cast<double>(cost.hits) * price->second;
    }
  }
  if (!calls_.kinds.empty()) {
    const auto counts = observer_->object().array<nz_call_stats>("nz_call_counts");
    for (uint32_t cpu = 0; cpu < observer_->object().layout().cpus; cpu++) {
      for (size_t i = 0; i < calls_.kinds.size(); i++)
        ns += static_cast<double>(counts[cpu * NZ_MAX_CALL_KINDS + i].started) * calls_.kinds[i].ns;
    }
  }
  return ns / 1e9;
}

std::map<std::string, uint64_t> Session::lost() const {
  const nz_counters counters = observer_->env().drain.counters();
  std::map<std::string, uint64_t> lost = {
      {"more different rows than --keys", counters.drops[NZ_DROP_KEYS_FULL]},
      {"more calls at a time than are kept", counters.drops[NZ_DROP_CALLS_FULL]},
      {"events beyond the ring buffer", counters.drops[NZ_DROP_RING_FULL]},
      {"two threads shared an entry", counters.drops[NZ_DROP_TASK_COLLISION]},
      {"off the CPU since before the trace", counters.drops[NZ_DROP_OFF_BEFORE_ATTACH]},
      {"in a syscall since before the trace", counters.drops[NZ_DROP_SYSCALL_NO_ENTER]},
      {"statements without a name of their own", counters.drops[NZ_DROP_STATEMENT_OTHER]},
      {"more threads than are kept", counters.drops[NZ_DROP_THREADS_FULL]},
      {fmt::format("slow events beyond {} at once", kMostSlow), not_shown_}};
  if (!calls_.kinds.empty()) {
    const auto counts = observer_->object().array<nz_call_stats>("nz_call_counts");
    uint64_t unmatched = 0;
    uint64_t restarted = 0;
    for (const nz_call_stats& c : counts) {
      unmatched += c.unmatched;
      restarted += c.restarted;
    }
    lost["calls that began before the trace"] = unmatched;
    lost["calls whose end was not seen"] = restarted;
  }
  return lost;
}

void Session::on_event(const nz_event& event, std::span<const std::byte> bytes) {
  names_->learn(event, bytes);
  if (event.kind != NZ_EVENT_SLOW || bytes.size() < sizeof(nz_slow_event)) return;
  nz_slow_event slow{};
  std::memcpy(&slow, bytes.data(), sizeof(slow));
  on_slow(slow);
}

void Session::on_slow(const nz_slow_event& event) {
  if (slow_.size() >= kMostSlow) {
    not_shown_++;
    return;
  }
  constexpr uint32_t kSched = NZ_SLOTS * NZ_SCHED_SERIES;
  const uint32_t series = event.series < kSched ? event.series % NZ_SCHED_SERIES : event.series;
  const auto depth = [](uint32_t n) { return std::min<size_t>(n, NZ_STACK_DEPTH); };
  const auto pid = static_cast<pid_t>(event.head.tgid);
  slow_.push_back({local_time(event.head.ts), names_->name_of(series),
                   names_->number_name(series, event.number), pid, static_cast<pid_t>(event.tid),
                   std::string(event.head.comm, strnlen(event.head.comm, sizeof(event.head.comm))),
                   event.ns, stacks_.kernel({event.kernel, depth(event.kernel_depth)}),
                   stacks_.user(pid, {event.user, depth(event.user_depth)})});
}

std::vector<std::string> Session::failures() const {
  std::vector<std::string> texts;
  if (!wants(request_, Kind::sqlite)) return texts;
  // Whoever has no SQLite is no news unless it was named.
  for (const auto& probe : observer_->probes()) {
    if (probe->name() != "sqlite") continue;
    for (const probes::Status& status : probe->status()) {
      if (request_.match.empty()) continue;
      if (status.waiting)
        texts.push_back(
            fmt::format("process {} has no SQLite with symbols (nearzero list sqlite): {}",
                        status.pid, status.text));
      else if (!status.attached)
        texts.push_back(fmt::format("process {}: {}", status.pid, status.text));
    }
  }
  return texts;
}

}  // namespace nz::trace
