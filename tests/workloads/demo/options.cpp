#include "tests/workloads/demo/options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <map>

namespace demo {
namespace {

// Each fault with the magnitude that it has when none is given.
const std::map<std::string, double> kFaults{
    {"lock-convoy", 3},   {"missing-index", 0}, {"slow-fsync", 20},        {"cpu-hog", 2},
    {"page-faults", 512}, {"slow-signal", 4},   {"small-checkpoints", 10}, {"open-per-order", 0},
    {"open-cursor", 6},   {"stop-accepting", 0}};

// A number at the front of `text`, which loses it.
double take_number(std::string& text) {
  size_t used = 0;
  const double number = std::stod(text, &used);
  text.erase(0, used);
  return number;
}

bool take(std::string& text, char expected) {
  if (text.empty() || text[0] != expected) return false;
  text.erase(0, 1);
  return true;
}

// NAME[=MAGNITUDE][:START[-STOP]]; times that are left out come from --fault-start, --fault-stop.
FaultSpec parse_fault(const std::string& text, double start_s, double stop_s) {
  const size_t name_end = std::min(text.find_first_of("=:"), text.size());
  FaultSpec spec{text.substr(0, name_end), 0, start_s, stop_s};
  const auto known = kFaults.find(spec.name);
  if (known == kFaults.end()) {
    std::string names;
    for (const auto& [name, magnitude] : kFaults) names += (names.empty() ? "" : ", ") + name;
    throw CLI::ValidationError("--fault", "unknown fault '" + spec.name + "'; one of " + names);
  }
  spec.magnitude = known->second;
  std::string rest = text.substr(name_end);
  try {
    if (take(rest, '=')) spec.magnitude = take_number(rest);
    if (take(rest, ':')) spec.start_s = take_number(rest);
    if (take(rest, '-')) spec.stop_s = take_number(rest);
    if (!rest.empty() || spec.magnitude < 0) throw std::invalid_argument(rest);
  } catch (const std::logic_error&) {
    throw CLI::ValidationError(
        "--fault", "'" + text + "' is not NAME[=MAGNITUDE][:START[-STOP]], times in seconds");
  }
  return spec;
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options o;
  std::vector<std::string> faults;
  double fault_start = 0;
  double fault_stop = -1;
  bool no_truth = false;

  CLI::App app(
      "nz-demo: an order service with known stages, known faults and its own ground truth");
  app.footer(
      "Faults:\n"
      "  lock-convoy[=3]    a thread holds the risk mutex for so many ms of every 10 ms\n"
      "  missing-index      the index behind the risk limit lookup is dropped (20,000 row scan)\n"
      "  slow-fsync[=20]    every fsync of SQLite takes so many ms longer; see --synchronous FULL\n"
      "  cpu-hog[=2]        so many spinning threads per worker, on the workers' CPUs\n"
      "  page-faults[=512]  each risk check works on so many KB of memory that is new each time\n"
      "  slow-signal[=4]    compute_signal does so many times its work\n"
      "  small-checkpoints[=10]  commits checkpoint after so many pages of WAL, not after 1,000\n"
      "  open-per-order     each order opens a connection for its limit lookup, and closes it\n"
      "  open-cursor[=6]    a thread keeps a SELECT open for so many seconds, again and again\n"
      "  stop-accepting     nobody accepts at --status-port\n"
      "Signals: SIGUSR1 toggles the configured faults, SIGUSR2 starts after --wait,\n"
      "         SIGINT and SIGTERM stop and print the truth.\n\n"
      "Examples:\n"
      "  nz-demo --duration 10 > truth.json\n"
      "  nz-demo --wait --truth truth.json &   # attach a profiler, then: kill -USR2 PID\n"
      "  nz-demo --fault lock-convoy=5:3-6 --duration 9\n"
      "  nz-demo --fault slow-fsync --fault-manual --synchronous FULL --rate 30\n"
      "  nz-demo --fault missing-index --rate 300 --fault-start 2 --fault-stop 4");
  const auto seconds = CLI::AsNumberWithUnit(std::map<std::string, double>{{"ms", 1e-3}, {"s", 1}});

  app.add_option("--rate", o.rate, "Orders per second")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--duration", o.duration_s, "Seconds to run; 0 = until a signal")
      ->transform(seconds)
      ->capture_default_str();
  app.add_option("--threads", o.threads, "Worker threads")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--arrivals", o.arrivals, "Arrival process of the market data")
      ->check(CLI::IsMember({"paced", "poisson"}))
      ->capture_default_str();
  app.add_option("--seed", o.seed, "Seed of ticks and arrivals")->capture_default_str();
  app.add_option("--reject-ratio", o.reject_ratio, "Part of the orders that breaks a risk limit")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--queue-limit", o.queue_limit, "Ticks waiting before new ones are dropped")
      ->capture_default_str();
  app.add_option("--work-percent", o.work_percent, "Scale of the arithmetic per order")
      ->capture_default_str();
  app.add_flag("--pin", o.pin, "Pin worker i to CPU i");
  app.add_option("--db", o.db, "SQLite file; default in a temporary directory, removed at exit");
  app.add_option("--synchronous", o.synchronous, "PRAGMA synchronous")
      ->check(CLI::IsMember({"OFF", "NORMAL", "FULL"}))
      ->capture_default_str();
  app.add_option("--lookup-every", o.lookup_every, "Orders per risk limit lookup")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--report-every", o.report_every_s, "Seconds between position reports; 0 = none")
      ->transform(seconds)
      ->capture_default_str();
  app.add_option("--gateway", o.gateway, "How orders are acknowledged")
      ->check(CLI::IsMember({"tcp", "unix"}))
      ->capture_default_str();
  app.add_option("--reference-data", o.reference_mb,
                 "MB of reference data in a mapped file, beside the database")
      ->capture_default_str();
  app.add_option("--credit-port", o.credit_port,
                 "Ask the credit service at this port of loopback in each risk check: 64 bytes to "
                 "it, 64 bytes back")
      ->check(CLI::Range(1, 65535));
  app.add_option("--status-port", o.status_port,
                 "Answer whoever connects to this port of loopback with a line")
      ->check(CLI::Range(1, 65535));
  app.add_option("--fault", faults, "NAME[=MAGNITUDE][:START[-STOP]], repeatable");
  app.add_option("--fault-start", fault_start, "Seconds after the start")->transform(seconds);
  app.add_option("--fault-stop", fault_stop, "Seconds after the start; default: until the end")
      ->transform(seconds);
  app.add_flag("--fault-manual", o.fault_manual, "Faults begin switched off; SIGUSR1 toggles them");
  app.add_flag("--no-truth", no_truth,
               "Read no clock but for the order total: for overhead benchmarks");
  app.add_option("--truth", o.truth_file, "Write the ground truth here instead of to stdout");
  app.add_option("--samples", o.samples, "Orders kept for exact quantiles")->capture_default_str();
  app.add_flag("--wait,--wait-for-signal,--pause-at-start", o.wait,
               "Print \"ready pid=N\" to stderr and wait for SIGUSR2 before starting");
  app.add_option("--linger", o.linger_s, "Seconds to stay alive after the truth is printed")
      ->transform(seconds);

  try {
    app.parse(argc, argv);
    for (const std::string& text : faults)
      o.faults.push_back(parse_fault(text, fault_start, fault_stop));
  } catch (const CLI::ParseError& e) {
    std::exit(app.exit(e));
  }
  o.truth_clock = !no_truth;
  return o;
}

}  // namespace demo
