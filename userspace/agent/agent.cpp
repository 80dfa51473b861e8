#include "userspace/agent/agent.h"

#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <map>
#include <string>
#include <thread>

#include "probes/probe.h"
#include "userspace/agent/drain_delay.h"
#include "userspace/agent/duty_cycle.h"
#include "userspace/agent/http_options.h"
#include "userspace/agent/insight.h"
#include "userspace/agent/instance.h"
#include "userspace/agent/ledger.h"
#include "userspace/agent/routes.h"
#include "userspace/agent/self_metrics.h"
#include "userspace/agent/snapshot.h"
#include "userspace/agent/target_processes.h"
#include "userspace/base/courtesy.h"
#include "userspace/base/exit_codes.h"
#include "userspace/base/guard.h"
#include "userspace/http/server.h"
#include "userspace/observe/calibrate.h"
#include "userspace/observe/observer.h"
#include "userspace/resources/resources.h"
#include "userspace/rest/routes.h"

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
  void set_up_profile();
  void attach_all();
  void loop();
  void handle(int fd);
  void set_timer();
  void drain(Clock::time_point due);
  void trip(const std::string& probe, uint32_t slot);
  void step_duty_cycle();
  void publish(double drain_seconds);
  void on_signal();
  void reload();
  void reload_protection(const config::Config& next);
  std::string command(const std::string& line);
  std::string command_off();
  std::string command_on();

  config::Config config_;
  Reload reload_;
  Fd lock_;
  Guard guard_;
  std::unique_ptr<observe::Observer> observer_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<DutyCycle> duty_;
  resources::Resources resources_{resources::Paths{}};
  std::unique_ptr<ControlSocket> control_;
  std::shared_ptr<SnapshotBox> snapshots_ = std::make_shared<SnapshotBox>();
  Insight insight_{snapshots_};  // before the server, whose routes read it
  std::unique_ptr<http::Server> server_;
  Fd signals_, timer_, duty_timer_, epoll_;
  Clock::time_point last_drain_ = Clock::now();
  DrainDelay drain_delay_;
  bool stopping_ = false;
  uint64_t map_bytes_ = 0;  // fixed at load: maps do not grow
  uint64_t drains_ = 0;
  std::map<std::string, uint64_t> missed_;  // by program, some drains old
};

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
  std::vector<http::Route> all = routes(snapshots_);
  for (http::Route& route : rest::routes(insight_.source(), insight_.reports()))
    all.push_back(std::move(route));
  auto server = http::Server::start(http_options(config_), std::move(all));
  if (!server) return give_up(server.error(), {{EADDRINUSE, kAddressInUse}});
  server_ = std::make_unique<http::Server>(std::move(*server));

  const auto insight = insight_.open(config_);
  if (!insight) return give_up(insight.error(), {{EWOULDBLOCK, kAlreadyRunning}});

  for (const auto& step : {&Agent::open_programs, &Agent::open_events}) {
    const int code = (this->*step)();
    if (code != kOk) return code;
  }
  return kOk;
}

int Agent::open_programs() {
  auto loaded = loader::Object::load(object_options(config_));
  if (!loaded) return give_up(loaded.error(), {{ENOENT, kUnsupported}});
  loader::Object& object = **loaded;
  for (const auto& [program, reason] : object.refused()) {
    spdlog::warn("program {} is not loaded: {}", program, reason);
  }
  ledger_ = std::make_unique<Ledger>(config_.overhead, config_.overhead.calibrate
                                                           ? observe::calibrate(object)
                                                           : observe::estimated_prices());
  map_bytes_ = object.map_bytes();
  auto observer = observe::Observer::open(std::move(*loaded), guard_);
  if (!observer) return give_up(observer.error(), {});
  observer_ = std::move(*observer);
  set_up_profile();
  duty_ = std::make_unique<DutyCycle>(
      observer_->probes(),
      [this](uint32_t slot) { return ledger_->pausable_seconds(observer_->probes(), slot); },
      [this](uint32_t slot) {
        return ledger_->budget_left(observer_->probes(), slot, observer_->observed_slots().size(),
                                    std::thread::hardware_concurrency());
      });
  duty_->enable(config_.overhead.duty_cycle);
  return kOk;
}

int Agent::open_events() {
  auto control = ControlSocket::open(config_.runtime_dir,
                                     [this](const std::string& line) { return command(line); });
  if (!control) return give_up(control.error(), {});
  control_ = std::make_unique<ControlSocket>(std::move(*control));

  timer_.reset(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  set_timer();
  duty_timer_.reset(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  for (const int fd :
       {signals_.get(), timer_.get(), duty_timer_.get(), control_->fd(), observer_->poll_fd()}) {
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

void Agent::set_up_profile() {
  observer_->env().settings->profile_hz = config_.profile.hz;
  observer_->env().settings->profile_window =
      std::chrono::duration<double>(config_.profile.window).count();
}

void Agent::attach_all() {
  observer_->configure(config_.targets);
  observer_->start();
  for (const auto& probe : observer_->probes()) {
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
    guard_.run("attaching", [this] { attach_all(); });
    guard_.run("the first drain", [this] { drain(Clock::now()); });
    spdlog::info(
        "ready after {:.2f} s on {}://{} (metrics, healthz, readyz), {} target process(es)",
        seconds_since(start), config_.http.tls_certificate.empty() ? "http" : "https",
        config_.listen, observer_->tracker().members().size());
    loop();
  }
  server_->stop();
  observer_->stop();
  spdlog::info("stopped; nothing is left attached");
  return kOk;
}

void Agent::loop() {
  std::array<epoll_event, 8> ready{};
  while (!stopping_) {
    const int n = epoll_wait(epoll_.get(), ready.data(), ready.size(), -1);
    for (int i = 0; i < n; i++) {
      guard_.run("a step of the main loop", [&] { handle(ready[static_cast<size_t>(i)].data.fd); });
    }
  }
}

void Agent::handle(int fd) {
  if (fd == signals_.get()) {
    on_signal();
  } else if (fd == control_->fd()) {
    control_->answer();
  } else if (fd == observer_->poll_fd()) {
    observer_->consume();
  } else if (fd == duty_timer_.get()) {
    uint64_t expirations = 0;
    if (read(fd, &expirations, sizeof(expirations)) > 0) step_duty_cycle();
  } else {
    uint64_t expirations = 0;
    if (read(timer_.get(), &expirations, sizeof(expirations)) > 0)
      drain(DrainDelay::due(timer_.get(), expirations));
  }
}

// ---- every interval
// ----------------------------------------------------------------------------------

void Agent::drain(Clock::time_point due) {
  const auto start = Clock::now();
  const double elapsed = std::chrono::duration<double>(start - last_drain_).count();
  last_drain_ = start;
  observer_->tick();
  for (const auto& [probe, slot] : ledger_->update(observer_->probes(), elapsed)) {
    trip(probe, slot);
  }
  step_duty_cycle();  // also begins with a target that is new
  publish(seconds_since(start));
  drain_delay_.published(due);
}

void Agent::trip(const std::string& probe, uint32_t slot) {
  for (const auto& p : observer_->probes()) {
    if (p->name() == probe) p->trip(slot);
  }
  spdlog::error(
      "breaker: {} for {} took {:.1f} % of a core for {} s, over {:.1f} %: detached; "
      "`nearzero on` attaches it again",
      probe, observer_->env().target_name(slot), ledger_->share().at({probe, slot}) * 100,
      config_.overhead.breaker_seconds,
      config_.overhead.per_target * config_.overhead.breaker_factor * 100);
}

void Agent::step_duty_cycle() {
  if (observer_->stopped()) return;
  const auto next = duty_->step(observer_->observed_slots());
  if (next == Clock::time_point::max()) return;
  const auto wait = std::max<int64_t>(
      1, std::chrono::duration_cast<std::chrono::nanoseconds>(next - Clock::now()).count());
  const itimerspec once{{0, 0}, {wait / 1'000'000'000, wait % 1'000'000'000}};
  timerfd_settime(duty_timer_.get(), 0, &once, nullptr);
}

void Agent::publish(double drain_seconds) {
  const Courtesy courtesy(
      kNiceOfDrain);  // most of an interval's work; an order that comes meanwhile goes first
  auto snapshot = std::make_shared<Snapshot>();
  for (const auto& probe : observer_->probes()) probe->collect(snapshot->families);
  resources_.collect(target_processes(observer_->tracker()), snapshot->families);
  // A system call for each program, for a number that hardly ever moves.
  constexpr uint64_t kDrainsBetween = 10;
  if (drains_++ % kDrainsBetween == 0) missed_ = observer_->object().missed();
  const SelfState self{observer_->probes(),
                       observer_->env(),
                       *ledger_,
                       duty_->states(),
                       observer_->object().refused(),
                       missed_,
                       observer_->object().features().kernel,
                       map_bytes_,
                       server_->stats(),
                       server_->certificate_expires(),
                       drain_seconds,
                       observer_->execs_skipped(),
                       Guard::errors_of_all(),
                       observer_->stopped()};
  collect_self(self, snapshot->families);
  drain_delay_.collect(snapshot->families);
  snapshot->health = health_json(self, snapshot->healthy);
  snapshot->unattached = unattached(observer_->probes());
  insight_.collect(snapshot->families);
  insight_.step(*snapshot, observer_->probes(), observer_->tracker());
  const std::shared_ptr<const Snapshot> done = std::move(snapshot);
  insight_.keep(done);
  snapshots_->put(done);
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

// Certificate, key and tokens may have new content under the old names.
void Agent::reload_protection(const config::Config& next) {
  const auto taken = server_->protect(http_options(next).protection);
  if (!taken) spdlog::error("SIGHUP: the HTTP interface stays as it is: {}", taken.error().text());
}

void Agent::reload() {
  if (config_.source.empty()) {
    reload_protection(config_);
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
      next->log.file != config_.log.file || next->history != config_.history ||
      next->alerts.state != config_.alerts.state) {
    spdlog::warn(
        "SIGHUP: changes of listen, limits, host, runtime_dir, log.file, history and alerts.state "
        "take effect at the next start");
    next->history = config_.history;
    next->alerts.state = config_.alerts.state;
    next->listen = config_.listen;
    next->limits = config_.limits;
    next->runtime_dir = config_.runtime_dir;
    next->host = config_.host;
    next->log.file = config_.log.file;
  }
  reload_protection(*next);
  // Probes of a target that did not change stay attached: no event of theirs is missed.
  std::vector<std::string> changed;
  for (const config::Target& target : next->targets) {
    const auto old = std::find_if(config_.targets.begin(), config_.targets.end(),
                                  [&](const auto& t) { return t.name == target.name; });
    if (old != config_.targets.end() && !old->observed_like(target)) changed.push_back(target.name);
  }
  const bool new_interval = next->drain_interval != config_.drain_interval;
  config_ = std::move(*next);
  if (new_interval) set_timer();
  spdlog::set_level(spdlog::level::from_str(config_.log.level));
  ledger_->set_budget(config_.overhead);
  duty_->enable(config_.overhead.duty_cycle);
  set_up_profile();
  observer_->configure(config_.targets, changed);
  if (!observer_->stopped()) observer_->start();
  insight_.reload(config_);
  publish(0);
  spdlog::info("SIGHUP: configuration reloaded from {}", config_.source);
}

std::string Agent::command(const std::string& line) {
  observer_->consume();  // what happened before the question belongs to the answer
  if (const auto answer = insight_.command(line)) return *answer;
  if (line == "off") return command_off();
  if (line == "on") return command_on();
  if (line != "status") return "error: unknown command '" + line + "'; known: status, off, on\n";
  publish(0);
  return snapshots_->get()->health;
}

std::string Agent::command_off() {
  if (observer_->stopped()) return "already off\n";
  const auto start = Clock::now();
  observer_->stop();
  duty_->reset();
  publish(0);
  spdlog::warn("switched off on request: nothing is attached");
  return "off: everything detached in " +
         std::to_string(static_cast<int>(seconds_since(start) * 1000)) +
         " ms; `nearzero on` brings it back\n";
}

std::string Agent::command_on() {
  if (!observer_->stopped()) {
    if (ledger_->breaker().tripped().empty()) return "already on\n";
    observer_->stop();  // start() forgives what has tripped
    duty_->reset();
  }
  ledger_->breaker().reset();
  observer_->start();
  publish(0);
  spdlog::warn("switched on on request");
  return "on\n";
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
