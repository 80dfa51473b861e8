#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace demo {

// A fault that is on between two times (seconds since the service started), or toggled by SIGUSR1.
struct FaultSpec {
  std::string name;
  double magnitude = 0;  // its unit is the fault's: see --help
  double start_s = 0;
  double stop_s = -1;  // < 0: until the end
};

struct Options {
  double rate = 2000;      // orders per second
  double duration_s = 10;  // 0: until SIGINT or SIGTERM
  uint64_t threads = 2;
  std::string arrivals = "paced";
  uint64_t seed = 1;
  double reject_ratio = 0.02;
  uint64_t queue_limit = 10'000;
  uint64_t work_percent = 100;  // scales the arithmetic of compute_signal and check_risk
  bool pin = false;

  std::string db;  // empty: in a fresh temporary directory, removed at exit
  std::string synchronous = "NORMAL";
  uint64_t lookup_every = 1;  // orders per lookup of the risk limits
  double report_every_s = 1;  // 0: no position report
  std::string gateway = "tcp";
  uint64_t reference_mb = 0;  // mapped file of which each order reads some pages
  uint64_t credit_port = 0;   // of the service that each order asks; 0: none
  uint64_t status_port = 0;   // where the service tells that it is up; 0: nowhere

  std::vector<FaultSpec> faults;
  bool fault_manual = false;  // only SIGUSR1 switches them

  bool truth_clock = true;  // false with --no-truth
  std::string truth_file;   // empty: stdout
  bool wait = false;
  double linger_s = 0;
  uint64_t samples = 1'000'000;  // orders whose times are kept for exact quantiles
};

// Exits the process after --help or a usage error.
Options parse_options(int argc, char** argv);

}  // namespace demo
