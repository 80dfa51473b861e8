// Wires the service: market data -> queue -> workers -> gateway, with faults and ground truth.

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>
#include <thread>

#include "tests/workloads/common/workload.h"
#include "tests/workloads/demo/credit.h"
#include "tests/workloads/demo/faults.h"
#include "tests/workloads/demo/gateway.h"
#include "tests/workloads/demo/market.h"
#include "tests/workloads/demo/memory.h"
#include "tests/workloads/demo/options.h"
#include "tests/workloads/demo/slow_fsync.h"
#include "tests/workloads/demo/stages.h"
#include "tests/workloads/demo/status_port.h"
#include "tests/workloads/demo/store.h"
#include "tests/workloads/demo/truth.h"

namespace demo {
namespace {

using nlohmann::json;
using nz::workload::now_ns;

// The database file: the given one, or one in a directory of its own that goes with the process.
class DatabaseFile {
 public:
  explicit DatabaseFile(const std::string& given) : path_(given) {
    if (!given.empty()) return;
    std::string pattern = (std::filesystem::temp_directory_path() / "nz-demo-XXXXXX").string();
    if (!mkdtemp(pattern.data()))
      throw std::system_error(errno, std::generic_category(), "mkdtemp");
    directory_ = pattern;
    path_ = directory_ + "/orders.db";
  }
  ~DatabaseFile() {
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
  }
  DatabaseFile(const DatabaseFile&) = delete;
  DatabaseFile& operator=(const DatabaseFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_, directory_;
};

sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGUSR1, SIGUSR2, SIGINT, SIGTERM}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

// What a thread brings home.
struct WorkerResult {
  std::unique_ptr<TruthLog> truth;
  SqlCounts sql;
};

struct Service {
  explicit Service(const Options& options_in, const std::string& path_in, const std::string& vfs_in)
      : options(options_in),
        path(path_in),
        vfs(vfs_in),
        reference(path_in + ".reference", options_in.reference_mb << 20),
        queue(options_in.queue_limit),
        gateway(options_in.gateway, options_in.threads),
        status(options_in.status_port),
        results(options_in.threads) {
    for (size_t i = 0; i < options.threads; ++i) credit.emplace_back(options.credit_port);
  }

  void work(size_t index);
  void report_positions();
  void start();
  void stop();

  const Options& options;
  const std::string path, vfs;
  const ReferenceData reference;
  TickQueue queue;
  PositionBook positions;
  Gateway gateway;
  StatusPort status;
  std::deque<CreditLine> credit;  // one for each worker; a deque: they do not move
  std::vector<WorkerResult> results;
  SqlCounts report_sql;
  uint64_t reports = 0;
  MarketCounts market;
  std::atomic<bool> stopping{false};
  std::vector<std::thread> threads;
};

void Service::work(size_t index) {
  if (options.pin)
    nz::workload::pin_to_cpu(
        static_cast<int>(index % std::max(1u, std::thread::hardware_concurrency())));
  const double per_worker =
      static_cast<double>(options.samples) / static_cast<double>(options.threads);
  const double expected = options.rate * options.duration_s * 1.2 + 1000;
  auto truth = std::make_unique<TruthLog>(static_cast<size_t>(per_worker),
                                          static_cast<size_t>(std::min(per_worker, expected)));
  Store store(path, options.synchronous, vfs);
  store.prepare();
  Worker worker(store, positions, reference, credit[index], gateway.worker_fd(index), options);
  while (const std::optional<Tick> tick = queue.pop()) {
    handle_tick(worker, *tick);
    truth->record(worker.times);
  }
  results[index] = {std::move(truth), store.close()};
}

void Service::report_positions() {
  Store store(path, options.synchronous, vfs);
  store.prepare();
  const auto period = static_cast<uint64_t>(options.report_every_s * 1e9);
  uint64_t next = now_ns() + period;
  while (!stopping) {
    if (now_ns() < next) {
      nz::workload::sleep_ns(std::min<uint64_t>(period, 20'000'000));
      continue;
    }
    next += period;
    store.position_report();
    ++reports;
  }
  report_sql = store.close();
}

void Service::start() {
  gateway.start();
  for (size_t i = 0; i < options.threads; ++i) threads.emplace_back([this, i] { work(i); });
  if (options.report_every_s > 0) threads.emplace_back([this] { report_positions(); });
  if (status.listens()) threads.emplace_back([this] { status.serve(stopping); });
  threads.emplace_back([this] { market = generate_market_data(options, queue, stopping); });
}

void Service::stop() {
  stopping = true;
  queue.close();
  for (std::thread& thread : threads) thread.join();
  gateway.stop();
}

// Runs the schedule until the duration is over or a signal asks to stop.
void supervise(const Options& options, const sigset_t& signals, Faults& faults, uint64_t begin) {
  const timespec tick{0, 10'000'000};
  for (;;) {
    const double elapsed = static_cast<double>(now_ns() - begin) * 1e-9;
    if (options.duration_s > 0 && elapsed >= options.duration_s) return;
    faults.poll(elapsed);
    const int signal = sigtimedwait(&signals, nullptr, &tick);
    if (signal == SIGUSR1) faults.toggle();
    if (signal == SIGINT || signal == SIGTERM) return;
  }
}

// False: told to end before the start.
bool wait_for_start(const sigset_t& signals) {
  std::cerr << "ready pid=" << getpid() << std::endl;
  int signal = 0;
  while (signal != SIGUSR2) {
    sigwait(&signals, &signal);
    if (signal == SIGINT || signal == SIGTERM) return false;
  }
  return true;
}

double cpu_seconds(const rusage& u) {
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

json describe_run(const rusage& before, const rusage& after, uint64_t begin, uint64_t end) {
  const double wall = static_cast<double>(end - begin) * 1e-9;
  const double cpu = cpu_seconds(after) - cpu_seconds(before);
  return {{"start_ns", begin},
          {"end_ns", end},
          {"wall_s", wall},
          {"cpu_s", cpu},
          {"cores", cpu / wall},
          {"voluntary_switches", after.ru_nvcsw - before.ru_nvcsw},
          {"involuntary_switches", after.ru_nivcsw - before.ru_nivcsw}};
}

json describe_options(const Options& o) {
  return {{"rate", o.rate},
          {"duration_s", o.duration_s},
          {"threads", o.threads},
          {"arrivals", o.arrivals},
          {"seed", o.seed},
          {"reject_ratio", o.reject_ratio},
          {"lookup_every", o.lookup_every},
          {"synchronous", o.synchronous},
          {"gateway", o.gateway},
          {"truth_clock", o.truth_clock}};
}

int run(const Options& options) {
  const sigset_t signals = block_signals();
  g_truth_clock = options.truth_clock;
  const DatabaseFile file(options.db);
  std::string vfs;
  for (const FaultSpec& fault : options.faults) {
    if (fault.name != "slow-fsync") continue;
    register_slow_fsync_vfs();
    vfs = kSlowFsyncVfs;
  }

  json report{{"program", "nz-demo"}, {"schema", 1}, {"pid", getpid()}};
  report["config"] = describe_options(options);
  report["config"]["db"] = file.path();
  {
    Store setup(file.path(), options.synchronous, vfs);
    setup.create_schema();
    report["sqlite"]["setup"] = setup.close().to_json();
  }
  Service service(options, file.path(), vfs);
  if (options.wait && !wait_for_start(signals)) return 0;

  Faults faults(options, service.positions, file.path(), vfs);
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  const uint64_t begin = now_ns();
  service.start();
  supervise(options, signals, faults, begin);
  // Faults first: a slow fsync must not hold up the close of the connections.
  faults.stop_all();
  service.stop();
  const uint64_t end = now_ns();
  getrusage(RUSAGE_SELF, &after);

  SqlCounts sql = faults.close();
  Truth truth;
  for (WorkerResult& result : service.results) {
    sql.merge(result.sql);
    truth.add(std::move(*result.truth));
  }
  sql.merge(service.report_sql);
  report.update(truth.report(faults.windows()));
  report["run"] = describe_run(before, after, begin, end);
  report["ticks"] = {{"generated", service.market.generated},
                     {"processed", report["orders"]["started"]},
                     {"dropped", service.market.dropped},
                     {"left_in_queue", service.queue.size()}};
  report["sqlite"]["run"] = sql.to_json();
  report["reports"] = service.reports;
  report["gateway"] = {{"frames", service.gateway.bytes() / kAckBytes},
                       {"bytes", service.gateway.bytes()}};
  report["faults"] = json::array();
  for (const FaultWindow& w : faults.windows())
    report["faults"].push_back(
        {{"name", w.name}, {"start_ns", w.start_ns}, {"stop_ns", w.stop_ns}});

  if (options.truth_file.empty()) {
    std::cout << report.dump(2) << std::endl;
  } else {
    std::ofstream out(options.truth_file);
    out << report.dump(2) << std::endl;
    if (!out) throw std::runtime_error("cannot write " + options.truth_file);
  }
  if (options.linger_s > 0) {
    std::cerr << "lingering" << std::endl;
    const timespec left{
        static_cast<time_t>(options.linger_s),
        static_cast<long>(
            (options.linger_s - static_cast<double>(static_cast<time_t>(options.linger_s))) * 1e9)};
    sigset_t stop = signals;
    sigdelset(&stop, SIGUSR1);
    sigdelset(&stop, SIGUSR2);
    sigtimedwait(&stop, nullptr, &left);
  }
  return 0;
}

}  // namespace
}  // namespace demo

int main(int argc, char** argv) {
  const demo::Options options = demo::parse_options(argc, argv);
  try {
    return demo::run(options);
  } catch (const std::exception& e) {
    std::cerr << "nz-demo: " << e.what() << '\n';
    return 1;
  }
}
