// What the owner of a host writes down about nearzero: which processes are targets, which of their
// functions are the stages of an order, what the observation may cost, where the agent listens.
//
// The file is YAML. Its shape is configs/nearzero.schema.json (embedded at build time); what a
// schema cannot say (duplicate names, host:port, limits) is checked after it. Every problem of a
// file is reported at once, one line each: `FILE:LINE:COLUMN: what (remedy)`.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"

namespace nz::config {

/// One step of an order's path. Either `function` (its entry to its exit) or `from` and `to` (the
/// entry of one function to the entry of another: no return probe, the cheapest and safest form).
struct Stage {
  std::string name;      ///< [A-Za-z0-9_.:-]{1,63}, unique in its target; the `stage` label
  std::string function;  ///< symbol, demangled without arguments ("ns::Class::method") or mangled
  std::string from, to;  ///< symbols, as above; both or none
  std::string binary;    ///< path; or a library name ("libfoo.so") looked up in the process' maps;
                         ///< empty: the target's executable
  bool nothrow = false;  ///< the user asserts that no exception passes `function`: a return probe
                         ///< is then allowed in a binary with a C++ unwinder

  bool operator==(const Stage&) const = default;
};

/// Which processes are the target. All conditions given must hold; a valid file gives at least one.
/// Globs know `*`, `?` and `[...]`; the other strings are compared as documented per field.
struct Match {
  std::optional<pid_t> pid;
  std::string comm;     ///< glob on /proc/PID/comm (at most 15 characters, as the kernel cuts it)
  std::string exe;      ///< glob on the full path of the executable, or on its last component
  std::string cgroup;   ///< prefix of, or glob on, the cgroup path ("/system.slice/orders.service")
  std::string cmdline;  ///< substring of, or glob on, the arguments joined by spaces

  [[nodiscard]] bool empty() const {
    return !pid && comm.empty() && exe.empty() && cgroup.empty() && cmdline.empty();
  }
  bool operator==(const Match&) const = default;
};

/// How the service's own metrics are labelled in Prometheus, so that ours can be joined with them.
struct ServiceLabels {
  std::string job;       ///< its `job`; empty: not given
  std::string instance;  ///< its `instance`; empty: not given

  bool operator==(const ServiceLabels&) const = default;
};

struct Target {
  std::string name;  ///< [A-Za-z0-9_.:-]{1,63}, unique; the `target` label
  Match match;
  bool follow_forks = true;          ///< children of a matching process belong to the target too
  bool scheduler = true;             ///< run-queue wait, on-CPU slices, off-CPU time by reason
  bool syscalls = false;             ///< full latency distribution per syscall
  bool sqlite = false;               ///< yaml: `sqlite: true` or a map {enabled, library, plan}
  std::string sqlite_library;        ///< yaml `sqlite.library`: path or library name; empty: search
  std::string sqlite_plan = "auto";  ///< yaml `sqlite.plan`: auto, step or boundary
  std::string sqlite_slow = "auto";  ///< yaml `sqlite.slow`: which single statements are logged: a
                                     ///< duration, auto (their p99) or off
  bool sqlite_keep_literals = false;  ///< yaml `sqlite.keep_literals`: values stay in that log
  bool sqlite_explain = false;        ///< yaml `sqlite.explain`: its database is opened read-only
  std::vector<Stage> stages;
  ServiceLabels labels;

  bool operator==(const Target&) const = default;
  /// Whether what is attached for the one serves the other: all is equal but what only names it.
  [[nodiscard]] bool observed_like(Target other) const {
    other.labels = labels;
    return *this == other;
  }
};

/// What the observation may cost. The agent calibrates each probe on this host and holds the
/// budget.
struct Overhead {
  double per_target = 0.01;    ///< share of one core, (0, 1]; yaml: "1%" or 0.01
  double host = 0.01;          ///< share of the whole machine, (0, 1]
  double breaker_factor = 10;  ///< cost above factor x budget ...
  double breaker_seconds = 3;  ///< ... for this long detaches the target's probes
  bool duty_cycle = true;      ///< hold per_target and host by observing part of the time
  bool calibrate = true;  ///< measure each probe's cost at start; false: use built-in estimates

  bool operator==(const Overhead&) const = default;
};

struct Log {
  std::string level = "info";  ///< trace, debug, info, warn, error, critical or off
  std::string file;            ///< absolute path; empty: standard error

  bool operator==(const Log&) const = default;
};

/// Bounds on what is kept per host, so that memory and label values stay bounded.
struct Limits {
  unsigned targets = 15;     ///< NZ_MAX_TARGETS: slot 0 of 16 is the host itself
  unsigned statements = 64;  ///< SQLite statement texts with own series
  unsigned syscalls = 64;    ///< (target, syscall) series
  unsigned stages = 64;      ///< over all targets
  unsigned threads = 0;      ///< 0: from pid_max; else a power of two, 64 to 32768

  bool operator==(const Limits&) const = default;
};

/// Where the targets' time on CPU goes, by function.
struct Profile {
  unsigned hz = 49;  ///< samples a second of each CPU, up to 9999; 0: none
  /// What shares and folded stacks are of; what they are compared with is ten times as long.
  std::chrono::milliseconds window{60'000};

  bool operator==(const Profile&) const = default;
};

/// What is kept on disk of every series.
struct History {
  std::string path = "/var/lib/nearzero/history.db";     ///< empty: the last hour, in memory
  std::chrono::milliseconds raw{std::chrono::hours(6)};  ///< intervals of 10 s
  std::chrono::milliseconds minutes{std::chrono::hours(30 * 24)};  ///< intervals of a minute
  std::chrono::milliseconds hours{std::chrono::hours(400 * 24)};   ///< of an hour; events, too
  unsigned most_mib = 1024;  ///< of the file; then the oldest goes, the finest first

  bool operator==(const History&) const = default;
};

/// Who is told of what.
struct Alerts {
  std::vector<std::string> rules;                       ///< files, absolute paths; none: no alerts
  std::string state = "/var/lib/nearzero/alerts.json";  ///< over a restart; empty: nothing is kept

  bool operator==(const Alerts&) const = default;
};

/// Reports of periods that follow one another.
struct ReportSchedule {
  std::string name;  ///< [A-Za-z0-9][A-Za-z0-9_-]{0,62}, unique
  std::chrono::milliseconds every{std::chrono::hours(24)};
  std::chrono::milliseconds offset{0};  ///< after whole multiples of `every` since 1970, UTC
  std::string compare = "previous";     ///< as `nearzero report --compare`
  std::string format = "html";          ///< of the file: html, md or json
  std::string title;                    ///< empty: that of any report

  bool operator==(const ReportSchedule&) const = default;
};

/// Reports that nobody has to ask for.
struct Reports {
  std::string folder;  ///< absolute path; empty: no files, history keeps them alone
  unsigned keep = 30;  ///< files of each schedule
  std::vector<ReportSchedule> schedule;

  bool operator==(const Reports&) const = default;
};

/// Who may reach the HTTP endpoint. Paths are absolute; empty: not used.
struct Http {
  std::string tls_certificate;            ///< yaml `tls.certificate`: PEM chain; empty: plain HTTP
  std::string tls_key;                    ///< yaml `tls.key`: PEM
  std::string token_file;                 ///< accepted bearer tokens, one a line
  double rate_limit = 2000;               ///< requests per second of one address
  double rate_burst = 4000;               ///< requests of one address at once
  std::vector<std::string> cors_origins;  ///< whose web pages may read answers; none by default

  bool operator==(const Http&) const = default;
};

struct Config {
  std::string listen = "127.0.0.1:9718";  ///< host:port or [ipv6]:port
  std::chrono::milliseconds drain_interval{1000};
  bool host = true;  ///< also observe the scheduler of the whole host, besides the targets
  Overhead overhead;
  Profile profile;
  History history;
  Alerts alerts;
  Reports reports;
  Log log;
  Limits limits;
  std::vector<Target> targets;
  std::string runtime_dir = "/run/nearzero";
  Http http;
  std::string source;  ///< the file it came from; empty for defaults()

  bool operator==(const Config&) const = default;
};

/// The configuration of an empty file: no targets, everything else as in the structs above.
Config defaults();

/// Reads, validates and returns a file. Fails with every problem found (at most 20 lines).
/// Limits: a regular file (or pipe) of at most 1 MiB.
Result<Config> load_file(const std::string& path);

/// The same from memory; `name` stands for the file in messages and becomes Config::source.
Result<Config> parse(std::string_view yaml, const std::string& name);

/// Looks up an environment variable; the default reads the process' own. Tests pass their own.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> process_environment(const std::string& name);

/// Lets NEARZERO_LISTEN, NEARZERO_DRAIN_INTERVAL, NEARZERO_LOG_LEVEL, ... (environment_variables())
/// override scalars of the file; an empty variable counts as unset. On an error `config` is
/// unchanged and each bad variable is named.
Result<void> apply_environment(Config& config,
                               const Environment& environment = process_environment);

/// Every variable that apply_environment() reads, and the key it overrides: for --help and the
/// docs.
struct EnvironmentVariable {
  std::string name;  ///< "NEARZERO_LOG_LEVEL"
  std::string key;   ///< "log.level"
};
std::vector<EnvironmentVariable> environment_variables();

/// The checks that a schema cannot express, on a configuration that did not come from a file alone
/// (command-line flags, environment). Messages name the key instead of a line.
Result<void> check(const Config& config);

/// The effective configuration as YAML that parse() accepts again and that gives the same Config
/// (except `source`). For `--print-config`.
std::string to_yaml(const Config& config);

/// The embedded JSON schema (draft-07), for `nearzero agent --print-schema` and the tests.
std::string_view schema_text();

}  // namespace nz::config
