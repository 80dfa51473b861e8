// SQLite of a target: per statement, without a change to the service. Which plan is used is decided
// per target from what is observed (choose_plan.h).
#include "probes/probe.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <iterator>
#include <numeric>
#include <set>

#include "probes/sqlite/attached.h"
#include "probes/sqlite/choose_plan.h"
#include "probes/sqlite/connections.h"
#include "probes/sqlite/database_watch.h"
#include "probes/sqlite/families.h"
#include "probes/sqlite/hooks.h"
#include "probes/sqlite/locate.h"
#include "probes/sqlite/slow_statements.h"

namespace nz::probes {
namespace {

using Clock = std::chrono::steady_clock;

// 8 ms of every 2 s: a scan, which is 18 times slower meanwhile, loses 0.4 %, and one of 1,000 rows
// (2 to 3 ms then) is seen whole.
constexpr std::chrono::seconds kSampleEvery{2};
constexpr long kSampleNs = 8'000'000;

uint64_t ended(const nz_sqlite_stats& s) {
  return std::accumulate(std::begin(s.result), std::end(s.result), uint64_t{0});
}

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

constexpr const char* kNotLoadedYet = ", not loaded by the process yet";

class Sqlite final : public Probe {
 public:
  explicit Sqlite(const Env& env)
      : Probe(env), stats_(env.object.array<nz_sqlite_stats>("nz_sqlite")) {
    // Statement 0 is "other".
    env_.object.control().next_statement = 1;
  }

  [[nodiscard]] std::string name() const override { return "sqlite"; }

  void attach(const targets::Member& member) override {
    const config::Target* target = env_.tracker.target(member.slot);
    if (target == nullptr || !target->sqlite || attached_.contains(member.process.pid)) return;
    SqliteAttached a;
    a.slot = member.slot;
    a.library = target->sqlite_library;
    a.wanted = target->sqlite_plan;
    a.by_fork = member.by_fork;
    const auto [at, fresh] = attached_.emplace(member.process.pid, std::move(a));
    if (tripped_.contains(member.slot)) {
      at->second.text = "tripped: over budget";
      return;
    }
    slow_.tick();  // its threshold, before its first statement
    locate(member.process.pid, at->second);
  }

  void detach(pid_t pid) override {
    const auto found = attached_.find(pid);
    if (found == attached_.end()) return;
    const uint32_t slot = found->second.slot;
    attached_.erase(found);
    recount_connections(slot);
  }

  void stop() override {
    attached_.clear();
    tripped_.clear();
    watched_.clear();
    connections_.clear();
    paused_.clear();
    slow_.stop();
    databases_.stop();
  }

  [[nodiscard]] bool has_duty_cycle() const override { return true; }
  // The look ends: which plan its statements ask for. Looks are too short for tick() to see.
  void wind_down(uint32_t slot) override { watch(slot, Clock::now()); }
  void pause(uint32_t slot) override {
    paused_.insert(slot);
    for (auto& [pid, a] : attached_) {
      if (a.slot == slot) a.pause();
    }
  }
  void resume(uint32_t slot) override;

  void trip(uint32_t slot) override {
    tripped_.emplace(slot, true);
    paused_.erase(slot);
    for (auto& [pid, a] : attached_) {
      if (a.slot != slot) continue;
      a.drop_links();
      a.plan = SqlitePlan::none;
      a.text = "tripped: over budget";
    }
  }

  void tick() override;
  void on_event(const nz_event& event, std::span<const std::byte> bytes) override {
    texts_.learn(event, bytes);
    slow_.on_event(bytes);
  }
  void details(analysis::Details& out) const override { slow_.details(databases_, out); }
  void collect(std::vector<metrics::Family>& out) const override;
  [[nodiscard]] std::vector<Cost> costs() const override;

  [[nodiscard]] std::vector<Status> status() const override {
    std::vector<Status> result;
    for (const auto& [pid, a] : attached_) {
      result.push_back({name(), env_.target_name(a.slot), pid, a.plan != SqlitePlan::none, a.text,
                        a.text.ends_with(kNotLoadedYet)});
    }
    return result;
  }

 private:
  // What tells which plan a slot should have.
  struct Watched {
    nz_sqlite_stats at_last_tick{};
    Clock::time_point last_tick, last_sample;
    SqliteObserved sampled;  // windows since the last decision
  };

  void locate(pid_t pid, SqliteAttached& a);
  void attach_waits(pid_t pid, SqliteAttached& a) {
    if (!paused_.contains(a.slot)) hooks_.waits(pid, a);
  }
  void use_plan(pid_t pid, SqliteAttached& a, SqlitePlan plan);
  void relocate_if_needed(pid_t pid, SqliteAttached& a);
  void sample(uint32_t slot, Watched& watched);
  void watch(uint32_t slot, Clock::time_point now);
  void add_connections(pid_t pid, SqliteAttached& a, const nz_sqlite_stats& before);
  void recount_connections(uint32_t slot);
  [[nodiscard]] SqlitePlan plan_of(uint32_t slot) const;
  // Its programs may not be there: sessions need a newer kernel.
  [[nodiscard]] bool can_boundary(const SqliteAttached& a) const {
    return a.binary->can_boundary() && !env_.object.refused().contains("nz_sqlite_halt");
  }
  [[nodiscard]] nz_sqlite_stats stats(uint32_t slot) const {
    return env_.drain.sum<nz_sqlite_stats>(stats_, NZ_SLOTS, slot);
  }

  std::span<const nz_sqlite_stats> stats_;
  StatementTexts texts_;
  SlowStatements slow_{env_, texts_};
  DatabaseWatch databases_{env_};
  SqliteHooks hooks_{env_};
  SqliteConnections connections_;
  sites::KernelTraits kernel_ = sites::detect();
  std::map<pid_t, SqliteAttached> attached_;
  std::map<uint32_t, Watched> watched_;  // by slot, as all below
  std::map<uint32_t, bool> tripped_;
  std::set<uint32_t> paused_;
  std::map<uint32_t, bool> stepped_;  // its step site is single-stepped
};

std::set<std::pair<std::string, uint64_t>> mapped_files(pid_t pid) {
  std::set<std::pair<std::string, uint64_t>> files;
  for (const targets::Mapping& m : targets::executable_files(pid)) files.emplace(m.device, m.inode);
  return files;
}

void Sqlite::locate(pid_t pid, SqliteAttached& a) {
  a.files = mapped_files(pid);
  auto found = locate_sqlite(pid, a.library, kernel_);
  if (!found) {
    a.text = found.error().text();
    return;
  }
  a.file.reset(open(found->path.c_str(), O_RDONLY | O_CLOEXEC));
  if (a.file.get() < 0) {
    a.text = found->shown + ": " + strerrordesc_np(errno) + "; tried again when its files change";
    return;
  }
  a.binary = std::move(*found);
  // A further process of a target begins with the plan that the others have.
  const SqlitePlan plan =
      choose_plan(plan_of(a.slot), a.wanted, a.binary->can_step(), can_boundary(a), {});
  if (plan == SqlitePlan::none) {
    a.text = a.binary->shown + ": neither plan is possible";
    for (const std::string& missing : a.binary->missing) a.text += "; " + missing;
    return;
  }
  const nz_sqlite_stats before = stats(a.slot);
  attach_waits(pid, a);
  hooks_.connections(pid, a);
  add_connections(pid, a, before);
  use_plan(pid, a, plan);
}

SqlitePlan Sqlite::plan_of(uint32_t slot) const {
  for (const auto& [pid, a] : attached_) {
    if (a.slot == slot && a.plan != SqlitePlan::none) return a.plan;
  }
  return SqlitePlan::none;
}

// Those that were open before we came: not counted by the probes, which attached after `before`.
void Sqlite::add_connections(pid_t pid, SqliteAttached& a, const nz_sqlite_stats& before) {
  if (a.counted) return;
  a.counted = true;
  connections_.begin(a.slot, before);
  // A forked child has its parent's files, but must not use its connections.
  if (a.by_fork) return;
  const uint64_t files = open_databases(pid).size();
  connections_.add(a.slot, files, before, stats(a.slot));
}

// A process that ends does not close its connections: what is left is what the others have open.
void Sqlite::recount_connections(uint32_t slot) {
  const nz_sqlite_stats now = stats(slot);
  uint64_t files = 0;
  for (const auto& [pid, a] : attached_) {
    if (a.slot == slot && !a.by_fork) files += open_databases(pid).size();
  }
  connections_.reset(slot, files, now);
}

void Sqlite::resume(uint32_t slot) {
  if (paused_.erase(slot) == 0) return;
  env_.object.control().cut_slot = slot;
  env_.object.run("nz_cut_statements");
  for (auto& [pid, a] : attached_) {
    const SqlitePlan plan = a.plan != SqlitePlan::none ? a.plan : a.not_resumed;
    if (a.slot != slot || plan == SqlitePlan::none) continue;
    a.plan = a.not_resumed = SqlitePlan::none;
    attach_waits(pid, a);
    use_plan(pid, a, plan);
    if (a.plan != SqlitePlan::none) continue;
    a.not_resumed = plan;
    spdlog::warn("sqlite of pid {}: not attached after a pause, tried again after the next: {}",
                 pid, a.text);
  }
  Watched& w = watched_[slot];
  w.at_last_tick = stats(slot);
  w.last_tick = Clock::now();
}

void Sqlite::use_plan(pid_t pid, SqliteAttached& a, SqlitePlan plan) {
  const SqliteBinary& b = *a.binary;
  if (plan == SqlitePlan::step) stepped_[a.slot] = b.step->stepped;
  Result<std::vector<Fd>> links;  // none in a pause: resume() attaches them
  if (!paused_.contains(a.slot))
    links = plan == SqlitePlan::step ? hooks_.step(pid, a, 0) : hooks_.boundary(pid, a);
  if (!links) {
    if (a.plan != SqlitePlan::none) return;  // the plan in use goes on
    a.text = links.error().text();
    return;
  }
  // The old plan goes after the new one has come: between them both see each statement, and count
  // it once (bpf/sqlite.bpf.c).
  a.plan_links = std::move(*links);
  a.plan = plan;
  a.text = std::string("plan ") + plan_name(plan) + " in " + b.shown + " (SQLite " +
           b.offsets.version.value.value_or("of unknown version") + ")";
  if (!b.mapped) a.text += kNotLoadedYet;
  for (const std::string& missing : b.missing) a.text += "; not probed: " + missing;
}

// A library loaded after the attach (dlopen), or another file than the one that was expected.
void Sqlite::relocate_if_needed(pid_t pid, SqliteAttached& a) {
  if (a.binary && a.binary->mapped) return;
  if (mapped_files(pid) == a.files) return;  // opening every library once a second would be dear
  auto found = locate_sqlite(pid, a.library, kernel_);
  if (found && a.binary && found->device == a.binary->device && found->inode == a.binary->inode) {
    a.files = mapped_files(pid);
    a.binary->mapped = found->mapped;
    // The probes came with the file, before its first instruction.
    const size_t at = a.text.find(kNotLoadedYet);
    if (found->mapped && at != std::string::npos)
      a.text.erase(at, std::string_view(kNotLoadedYet).size());
    return;
  }
  a.drop_links();
  a.binary.reset();
  a.plan = SqlitePlan::none;
  locate(pid, a);
}

// Boundary plan: for a few milliseconds the rows are seen, too.
void Sqlite::sample(uint32_t slot, Watched& watched) {
  std::vector<Fd> links;
  for (const auto& [pid, a] : attached_) {
    if (a.slot != slot || a.plan != SqlitePlan::boundary || !a.binary->can_step()) continue;
    auto step = hooks_.step(pid, a, NZ_SQL_SAMPLING);
    if (step) std::move(step->begin(), step->end(), std::back_inserter(links));
  }
  if (links.empty()) return;
  // Steps and statements of the same stretch of time: attaching and detaching take milliseconds.
  const nz_sqlite_stats before = stats(slot);
  const Clock::time_point begin = Clock::now();
  const timespec window{0, kSampleNs};
  nanosleep(&window, nullptr);
  const nz_sqlite_stats after = stats(slot);
  watched.sampled.steps += after.hits[NZ_SQL_STEP_SAMPLED] - before.hits[NZ_SQL_STEP_SAMPLED];
  watched.sampled.statements += ended(after) - ended(before);
  watched.sampled.seconds += seconds_between(begin, Clock::now());
}

void Sqlite::watch(uint32_t slot, Clock::time_point now) {
  Watched& w = watched_[slot];
  const nz_sqlite_stats before = std::exchange(w.at_last_tick, stats(slot));
  const bool first = w.last_tick == Clock::time_point{};
  SqliteObserved seen{counted_steps(w.at_last_tick) -
                          std::min(counted_steps(w.at_last_tick), counted_steps(before)),
                      ended(w.at_last_tick) - ended(before), seconds_between(w.last_tick, now)};
  w.last_tick = now;
  if (first) return;
  const SqlitePlan current = plan_of(slot);
  if (current == SqlitePlan::boundary) {
    if (now - w.last_sample < kSampleEvery) return;
    w.last_sample = now;
    sample(slot, w);
    if (!is_enough(current, w.sampled)) return;
    seen = std::exchange(w.sampled, {});
  }
  for (auto& [pid, a] : attached_) {
    if (a.slot != slot || a.plan == SqlitePlan::none) continue;
    const SqlitePlan plan =
        choose_plan(a.plan, a.wanted, a.binary->can_step(), can_boundary(a), seen);
    if (plan != a.plan) use_plan(pid, a, plan);
  }
}

void Sqlite::tick() {
  std::set<uint32_t> slots;
  for (auto& [pid, a] : attached_) {
    if (tripped_.contains(a.slot)) continue;
    relocate_if_needed(pid, a);
    if (paused_.contains(a.slot)) continue;
    slots.insert(a.slot);
  }
  const Clock::time_point now = Clock::now();
  for (const uint32_t slot : slots) watch(slot, now);
  slow_.tick();
  std::map<uint32_t, std::vector<pid_t>> pids;
  for (const auto& [pid, a] : attached_) pids[a.slot].push_back(pid);
  databases_.tick(pids, now);
}

std::vector<Cost> Sqlite::costs() const {
  std::vector<Cost> result;
  for (uint32_t slot = 1; slot < NZ_SLOTS; slot++) {
    const nz_sqlite_stats s = stats(slot);
    const auto stepped = stepped_.find(slot);
    const bool dear = stepped != stepped_.end() && stepped->second;
    const auto cost = [&](HitKind kind, uint64_t hits) {
      if (hits != 0) result.push_back({slot, kind, hits});
    };
    cost(dear ? HitKind::with_return_stepped : HitKind::with_return,
         s.hits[NZ_SQL_STEP] + s.hits[NZ_SQL_STEP_SAMPLED]);
    cost(HitKind::uprobe, s.hits[NZ_SQL_BEGIN] + s.hits[NZ_SQL_HALT] + s.hits[NZ_SQL_OPEN]);
    cost(HitKind::returned, s.hits[NZ_SQL_HALT_RETURN]);
    cost(HitKind::with_return, s.hits[NZ_SQL_COMPILE] + s.hits[NZ_SQL_WAIT]);
  }
  return result;
}

void Sqlite::collect(std::vector<metrics::Family>& out) const {
  collect_statements(env_, texts_, out);
  slow_.collect(out);
  databases_.collect(out);
  std::map<uint32_t, nz_sqlite_stats> by_slot;
  for (const uint32_t slot : env_.tracker.slots()) {
    const config::Target* target = env_.tracker.target(slot);
    if (target != nullptr && target->sqlite) by_slot[slot] = stats(slot);
  }
  collect_targets(env_, by_slot, connections_.open(by_slot), out);
  std::set<std::pair<uint32_t, SqlitePlan>> plans;
  for (const auto& [pid, a] : attached_) plans.emplace(a.slot, a.plan);
  collect_plans(env_, plans, out);
}

}  // namespace

std::unique_ptr<Probe> make_sqlite(const Env& env) { return std::make_unique<Sqlite>(env); }

}  // namespace nz::probes
