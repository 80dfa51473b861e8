#include "userspace/agent/agent.h"

#include <fnmatch.h>
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <thread>

#include "probes/probe.h"
#include "userspace/agent/calibrate.h"
#include "userspace/agent/duty_cycle.h"
#include "userspace/agent/exit_codes.h"
#include "userspace/agent/instance.h"
#include "userspace/agent/ledger.h"
#include "userspace/agent/routes.h"
#include "userspace/agent/self_metrics.h"
#include "userspace/agent/snapshot.h"
#include "userspace/base/closing.h"
#include "userspace/http/server.h"
#include "userspace/loader/events.h"

namespace nz::agent {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// One errno has different meanings for the lock, the port and the programs: the step decides.
int give_up(const Error& error, std::initializer_list<std::pair<int, ExitCode>> codes) {
  spdlog::error("{}", error.text());
  if (error.code == EPERM || error.code == EACCES) return kNoPrivilege;
  for (const auto& [number, code] : codes) {
    if (error.code == number) return code;
  }
  return kFailed;
}

// Each process of a target takes some descriptors for its links, each client of the server one.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

loader::Object::Options object_options(const config::Config& config) {
  loader::Object::Options o;
  o.layout.host = config.host;
  o.layout.cpus = loader::possible_cpus();
  o.layout.task_entries =
      config.limits.threads != 0 ? config.limits.threads : loader::task_entries();
  o.layout.max_stages = config.limits.stages;
  o.layout.max_statements = config.limits.statements;
  o.layout.max_syscalls = config.limits.syscalls;
  // For tests of what happens without it, and for kernels whose type information lies elsewhere.
  if (const char* btf = std::getenv("NEARZERO_BTF"); btf != nullptr && *btf != '\0')
    o.btf_path = btf;
  return o;
}

class Agent {
 public:
  Agent(config::Config config, Reload reload)
      : config_(std::move(config)), reload_(std::move(reload)) {}
  int run();

 private:
  int open();
  int open_programs();
  int open_events();
  void attach_all();
  void loop();
  template <class Work>
  void guarded(const char* what, const Work& work);
  void handle(int fd);
  void set_timer();
  void apply(const std::vector<targets::Change>& changes);
  void configure_targets();
  void on_event(const nz_event& event, std::span<const std::byte> bytes);
  void on_exec(const nz_event& event);
  [[nodiscard]] bool may_match(const char* comm) const;
  void drain();
  [[nodiscard]] std::vector<uint32_t> observed_slots() const;
  void step_duty_cycle();
  void publish(double drain_seconds);
  void on_signal();
  void reload();
  std::string command(const std::string& line);
  void detach(pid_t pid, bool stays);
  void detach_everything();
  void switch_off();
  void switch_on();

  config::Config config_;
  Reload reload_;
  Fd lock_;
  std::unique_ptr<loader::Object> object_;
  std::unique_ptr<drain::Drain> drain_;
  targets::Tracker tracker_;
  std::unique_ptr<probes::Env> env_;
  std::vector<std::unique_ptr<probes::Probe>> probes_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<DutyCycle> duty_;
  std::unique_ptr<loader::Events> events_;
  std::unique_ptr<ControlSocket> control_;
  std::shared_ptr<SnapshotBox> snapshots_ = std::make_shared<SnapshotBox>();
  std::unique_ptr<http::Server> server_;
  Fd signals_, timer_, duty_timer_, epoll_;
  Clock::time_point last_drain_ = Clock::now();
  Clock::time_point last_scan_ = Clock::now();
  bool off_ = false;
  bool stopping_ = false;
  bool scan_soon_ = false;
  bool trim_soon_ = true;  // the kernel's type information was read at start
  unsigned execs_this_tick_ = 0;
  uint64_t execs_skipped_ = 0;
  uint64_t ring_drops_ = 0;
  uint64_t errors_ = 0;
  uint64_t map_bytes_ = 0;  // fixed at load: maps do not grow
};

// The agent outlives what goes wrong inside one step (no memory, a file that vanishes under an
// iterator): logged, counted, and the next step begins anew.
template <class Work>
void Agent::guarded(const char* what, const Work& work) {
  try {
    work();
  } catch (const std::exception& e) {
    errors_++;
    spdlog::error("{} failed and was left out: {}", what, e.what());
  }
}

int Agent::open() {
  // Signals are blocked before anything else, so that only the descriptor receives them: one that
  // comes while the programs load ends the agent as cleanly as any other.
  sigset_t mask;
  sigemptyset(&mask);
  for (const int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&mask, s);
  pthread_sigmask(SIG_BLOCK, &mask, nullptr);
  signals_.reset(signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC));
  signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();

  auto lock = lock_instance(config_.runtime_dir);
  if (!lock) return give_up(lock.error(), {{EWOULDBLOCK, kAlreadyRunning}});
  lock_ = std::move(*lock);

  // The port before the programs: a second agent or a typo ends before anything is attached.
  http::Options http;
  http.listen = config_.listen;
  auto server = http::Server::start(http, routes(snapshots_));
  if (!server) return give_up(server.error(), {{EADDRINUSE, kAddressInUse}});
  server_ = std::make_unique<http::Server>(std::move(*server));

  const int programs = open_programs();
  return programs != kOk ? programs : open_events();
}

int Agent::open_programs() {
  auto object = loader::Object::load(object_options(config_));
  if (!object) return give_up(object.error(), {{ENOENT, kUnsupported}});
  object_ = std::move(*object);
  for (const auto& [program, reason] : object_->refused()) {
    spdlog::warn("program {} is not loaded: {}", program, reason);
  }
  ledger_ = std::make_unique<Ledger>(
      config_.overhead, config_.overhead.calibrate ? calibrate(*object_) : estimated_prices());
  map_bytes_ = object_->map_bytes();
  drain_ = std::make_unique<drain::Drain>(*object_);
  env_ = std::make_unique<probes::Env>(probes::Env{*object_, *drain_, tracker_});
  probes_ = probes::make_all(*env_);
  duty_ = std::make_unique<DutyCycle>(
      probes_, [this](uint32_t slot) { return ledger_->pausable_seconds(probes_, slot); },
      [this](uint32_t slot) {
        return ledger_->budget_left(probes_, slot, observed_slots().size(),
                                    std::thread::hardware_concurrency());
      });
  duty_->enable(config_.overhead.duty_cycle);
  return kOk;
}

int Agent::open_events() {
  // Called from C code, which an exception must not pass.
  auto events =
      loader::Events::open(*object_, [this](const nz_event& e, std::span<const std::byte> bytes) {
        guarded("an event", [&] { on_event(e, bytes); });
      });
  if (!events) return give_up(events.error(), {});
  events_ = std::move(*events);
  auto control = ControlSocket::open(config_.runtime_dir,
                                     [this](const std::string& line) { return command(line); });
  if (!control) return give_up(control.error(), {});
  control_ = std::make_unique<ControlSocket>(std::move(*control));

  timer_.reset(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  set_timer();
  duty_timer_.reset(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  for (const int fd :
       {signals_.get(), timer_.get(), duty_timer_.get(), control_->fd(), events_->poll_fd()}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) continue;
    spdlog::error("epoll_ctl: {}", strerrordesc_np(errno));
    return kFailed;
  }
  return kOk;
}

void Agent::set_timer() {
  const auto ms = config_.drain_interval.count();
  const itimerspec every{{ms / 1000, ms % 1000 * 1000000}, {ms / 1000, ms % 1000 * 1000000}};
  timerfd_settime(timer_.get(), 0, &every, nullptr);
}

void Agent::attach_all() {
  configure_targets();
  for (const auto& probe : probes_) probe->start();
  // After start(): whoever began meanwhile has been announced by an event or is found here.
  apply(tracker_.scan(targets::list_processes()));
  for (const auto& probe : probes_) {
    for (const probes::Status& s : probe->status()) {
      spdlog::log(s.attached ? spdlog::level::info : spdlog::level::warn, "{} for {}{}: {}",
                  s.probe, s.target, s.pid != 0 ? " pid " + std::to_string(s.pid) : "", s.text);
    }
  }
}

int Agent::run() {
  const auto start = Clock::now();
  const int opened = open();
  if (opened != kOk) return opened;
  on_signal();  // one that came while the programs loaded
  if (!stopping_) {
    guarded("attaching", [this] { attach_all(); });
    guarded("the first drain", [this] { drain(); });
    spdlog::info(
        "ready after {:.2f} s on http://{} (metrics, healthz, readyz), {} target process(es)",
        seconds_since(start), config_.listen, tracker_.members().size());
    loop();
  }
  server_->stop();
  detach_everything();
  spdlog::info("stopped; nothing is left attached");
  return kOk;
}

void Agent::loop() {
  std::array<epoll_event, 8> ready{};
  while (!stopping_) {
    const int n = epoll_wait(epoll_.get(), ready.data(), ready.size(), -1);
    for (int i = 0; i < n; i++) {
      guarded("a step of the main loop", [&] { handle(ready[static_cast<size_t>(i)].data.fd); });
    }
  }
}

void Agent::handle(int fd) {
  if (fd == signals_.get()) {
    on_signal();
  } else if (fd == control_->fd()) {
    control_->answer();
  } else if (fd == events_->poll_fd()) {
    events_->consume();
  } else if (fd == duty_timer_.get()) {
    uint64_t expirations = 0;
    if (read(fd, &expirations, sizeof(expirations)) > 0) step_duty_cycle();
  } else {
    uint64_t expirations = 0;
    if (read(timer_.get(), &expirations, sizeof(expirations)) > 0) drain();
  }
}

// ---- targets
// ---------------------------------------------------------------------------------------

void Agent::configure_targets() {
  apply(tracker_.configure(config_.targets));
  for (const std::string& name : tracker_.without_slot()) {
    spdlog::error("target {} is not observed: reloads have used up all {} slots; restart the agent",
                  name, NZ_MAX_TARGETS);
  }
  nz_control& control = object_->control();
  for (uint32_t slot = 1; slot < NZ_SLOTS; slot++) {
    const config::Target* target = tracker_.target(slot);
    control.follow_forks[slot] = target != nullptr && target->follow_forks ? 1 : 0;
  }
}

// `stays`: it is attached again at once, and two links at one address would count twice. Else
// nobody has to wait for the kernel.
void Agent::detach(pid_t pid, bool stays) {
  const ClosingTogether together(stays ? ClosingTogether::Wait::until_closed
                                       : ClosingTogether::Wait::in_background);
  for (const auto& probe : probes_) probe->detach(pid);
}

void Agent::apply(const std::vector<targets::Change>& changes) {
  std::vector<pid_t> ended;
  for (const targets::Change& change : changes) {
    const auto& [process, slot, by_fork] = change.member;
    if (change.kind == targets::Change::Kind::removed) {
      // After an exec it comes back in the same breath: a gap would lose its time and its children.
      const bool stays =
          std::any_of(changes.begin(), changes.end(), [pid = process.pid](const auto& c) {
            return c.kind == targets::Change::Kind::added && c.member.process.pid == pid;
          });
      detach(process.pid, stays);
      if (!stays) object_->remove_target(static_cast<uint32_t>(process.pid));
      spdlog::info("process {} ({}) has left target {}", process.pid, process.comm,
                   env_->target_name(slot));
      continue;
    }
    auto known = object_->set_target(static_cast<uint32_t>(process.pid), slot);
    if (!known) spdlog::warn("{}", known.error().text());
    spdlog::info("process {} ({}) belongs to target {}{}", process.pid, process.comm,
                 env_->target_name(slot), by_fork ? " by fork" : "");
    if (targets::has_ended(process)) {
      ended.push_back(process.pid);  // before the kernel knew it as a target: no event will tell
      continue;
    }
    if (off_) continue;
    for (const auto& probe : probes_) probe->attach(change.member);
    trim_soon_ = true;
  }
  for (const pid_t pid : ended) apply(tracker_.on_exit(pid));
}

bool Agent::may_match(const char* comm) const {
  return std::any_of(config_.targets.begin(), config_.targets.end(), [&](const config::Target& t) {
    return t.match.comm.empty() || fnmatch(t.match.comm.c_str(), comm, 0) == 0;
  });
}

void Agent::on_exec(const nz_event& event) {
  const auto pid = static_cast<pid_t>(event.tgid);
  const bool fresh = !tracker_.members().contains(pid);
  if (fresh) {
    if (!may_match(event.comm)) return;
    // A fork storm must not cost more than this: the next scan finds what is skipped here.
    if (++execs_this_tick_ > 200) {
      execs_skipped_++;
      scan_soon_ = true;
      return;
    }
  }
  apply(tracker_.on_exec(pid));
  // It may have forked before the kernel knew it as a target: the next scan adopts those children.
  if (fresh && tracker_.members().contains(pid)) scan_soon_ = true;
}

void Agent::on_event(const nz_event& event, std::span<const std::byte> bytes) {
  const auto pid = static_cast<pid_t>(event.tgid);
  switch (event.kind) {
    case NZ_EVENT_EXEC:
      on_exec(event);
      break;
    case NZ_EVENT_FORK:
      apply(tracker_.on_fork(pid, event.slot));
      break;
    case NZ_EVENT_EXIT:
      apply(tracker_.on_exit(pid));
      break;
    default:
      for (const auto& probe : probes_) probe->on_event(event, bytes);
  }
}

// ---- every interval
// ----------------------------------------------------------------------------------

void Agent::drain() {
  const auto start = Clock::now();
  const double elapsed = std::chrono::duration<double>(start - last_drain_).count();
  last_drain_ = start;
  execs_this_tick_ = 0;
  drain_->flip();
  if (!off_) {
    for (const auto& probe : probes_) probe->tick();
  }
  for (const auto& [name, slot] : ledger_->update(probes_, elapsed)) {
    const auto probe = std::find_if(probes_.begin(), probes_.end(),
                                    [&name = name](const auto& p) { return p->name() == name; });
    if (probe == probes_.end()) continue;
    (*probe)->trip(slot);
    spdlog::error(
        "breaker: {} for {} took {:.1f} % of a core for {} s, over {:.1f} %: detached; "
        "`nearzero on` attaches it again",
        name, env_->target_name(slot), ledger_->share().at({name, slot}) * 100,
        config_.overhead.breaker_seconds,
        config_.overhead.per_target * config_.overhead.breaker_factor * 100);
  }
  // A scan costs a read of every process: rarely, or when events were lost.
  const uint64_t ring_drops = drain_->counters().drops[NZ_DROP_RING_FULL];
  if (!config_.targets.empty() &&
      (scan_soon_ || ring_drops != ring_drops_ || seconds_since(last_scan_) > 10)) {
    ring_drops_ = ring_drops;
    scan_soon_ = false;
    last_scan_ = Clock::now();
    apply(tracker_.scan(targets::list_processes()));
    // Children that the kernel followed and whose event was lost; entries of dead processes go.
    for (const auto& [tgid, slot] : object_->targets()) {
      const auto pid = static_cast<pid_t>(tgid);
      if (tracker_.members().contains(pid)) continue;
      const auto changes = tracker_.on_fork(pid, slot);
      if (changes.empty()) object_->remove_target(tgid);
      apply(changes);
    }
  }
  step_duty_cycle();  // also begins with a target that is new
  publish(seconds_since(start));
  // Symbol tables are large, and glibc keeps what it was given back: the agent's memory is
  // promised.
  if (trim_soon_) malloc_trim(0);
  trim_soon_ = false;
}

std::vector<uint32_t> Agent::observed_slots() const {
  std::vector<uint32_t> slots;
  for (const uint32_t slot : tracker_.slots()) {
    const bool alive = std::any_of(tracker_.members().begin(), tracker_.members().end(),
                                   [slot](const auto& entry) { return entry.second.slot == slot; });
    if (alive) slots.push_back(slot);
  }
  return slots;
}

void Agent::step_duty_cycle() {
  if (off_) return;
  const auto next = duty_->step(observed_slots());
  if (next == Clock::time_point::max()) return;
  const auto wait = std::max<int64_t>(
      1, std::chrono::duration_cast<std::chrono::nanoseconds>(next - Clock::now()).count());
  const itimerspec once{{0, 0}, {wait / 1'000'000'000, wait % 1'000'000'000}};
  timerfd_settime(duty_timer_.get(), 0, &once, nullptr);
}

void Agent::publish(double drain_seconds) {
  auto snapshot = std::make_shared<Snapshot>();
  for (const auto& probe : probes_) probe->collect(snapshot->families);
  const SelfState self{probes_,
                       *env_,
                       *ledger_,
                       duty_->states(),
                       object_->refused(),
                       object_->features().kernel,
                       map_bytes_,
                       server_->stats(),
                       drain_seconds,
                       execs_skipped_,
                       errors_,
                       off_};
  collect_self(self, snapshot->families);
  snapshot->health = health_json(self, snapshot->healthy);
  snapshots_->put(std::move(snapshot));
}

// ---- signals and commands
// ------------------------------------------------------------------------------

void Agent::on_signal() {
  signalfd_siginfo info{};
  while (read(signals_.get(), &info, sizeof(info)) == sizeof(info)) {
    if (info.ssi_signo == SIGHUP) {
      reload();
    } else {
      spdlog::info("{} received", info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
      stopping_ = true;
    }
  }
}

void Agent::reload() {
  if (config_.source.empty()) {
    spdlog::warn("SIGHUP: there is no configuration file to reload");
    return;
  }
  auto next = reload_();
  if (!next) {
    spdlog::error("SIGHUP: the old configuration stays in force: {}", next.error().text());
    return;
  }
  if (next->listen != config_.listen || next->limits != config_.limits ||
      next->runtime_dir != config_.runtime_dir || next->host != config_.host ||
      next->log.file != config_.log.file) {
    spdlog::warn(
        "SIGHUP: changes of listen, limits, host, runtime_dir and log.file take effect at the next "
        "start");
    next->listen = config_.listen;
    next->limits = config_.limits;
    next->runtime_dir = config_.runtime_dir;
    next->host = config_.host;
    next->log.file = config_.log.file;
  }
  // Probes of a target that did not change stay attached: no event of theirs is missed.
  std::vector<std::string> changed;
  for (const config::Target& target : next->targets) {
    const auto old = std::find_if(config_.targets.begin(), config_.targets.end(),
                                  [&](const auto& t) { return t.name == target.name; });
    if (old != config_.targets.end() && !(*old == target)) changed.push_back(target.name);
  }
  const bool new_interval = next->drain_interval != config_.drain_interval;
  config_ = std::move(*next);
  if (new_interval) set_timer();
  spdlog::set_level(spdlog::level::from_str(config_.log.level));
  ledger_->set_budget(config_.overhead);
  duty_->enable(config_.overhead.duty_cycle);
  configure_targets();
  ClosingTogether::wait_for_background();  // a renamed target's processes come back below
  for (const auto& [pid, member] : tracker_.members()) {
    if (off_ ||
        std::find(changed.begin(), changed.end(), env_->target_name(member.slot)) == changed.end())
      continue;
    detach(pid, true);
    for (const auto& probe : probes_) probe->attach(member);
  }
  if (!off_) {
    for (const auto& probe : probes_) probe->start();
  }
  apply(tracker_.scan(targets::list_processes()));
  publish(0);
  spdlog::info("SIGHUP: configuration reloaded from {}", config_.source);
}

void Agent::detach_everything() {
  const ClosingTogether together(ClosingTogether::Wait::until_closed);
  for (const auto& probe : probes_) probe->stop();
}

void Agent::switch_off() {
  detach_everything();
  duty_->reset();
  off_ = true;
}

void Agent::switch_on() {
  off_ = false;
  ledger_->breaker().reset();
  for (const auto& probe : probes_) probe->start();
  apply(tracker_.scan(targets::list_processes()));
  for (const auto& [pid, member] : tracker_.members()) {
    for (const auto& probe : probes_) probe->attach(member);
  }
}

std::string Agent::command(const std::string& line) {
  events_->consume();  // what happened before the question belongs to the answer
  if (line == "status") {
    publish(0);
    return snapshots_->get()->health;
  }
  if (line == "off") {
    if (off_) return "already off\n";
    const auto start = Clock::now();
    switch_off();
    publish(0);
    spdlog::warn("switched off on request: nothing is attached");
    return "off: everything detached in " +
           std::to_string(static_cast<int>(seconds_since(start) * 1000)) +
           " ms; `nearzero on` brings it back\n";
  }
  if (line == "on") {
    if (!off_ && ledger_->breaker().tripped().empty()) return "already on\n";
    if (!off_) switch_off();
    switch_on();
    publish(0);
    spdlog::warn("switched on on request");
    return "on\n";
  }
  return "error: unknown command '" + line + "'; known: status, off, on\n";
}

}  // namespace

int run(const config::Config& config, const Reload& reload) {
  try {
    return Agent(config, reload).run();
  } catch (const std::exception& e) {
    spdlog::error("the agent cannot start: {}", e.what());
    return kFailed;
  }
}

}  // namespace nz::agent
