#include "userspace/config/semantics.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <string_view>

#include "nearzero/abi.h"
#include "userspace/config/origin.h"
#include "userspace/config/pointer.h"
#include "userspace/config/units.h"

namespace nz::config {
namespace {

constexpr std::chrono::milliseconds kShortestDrain{50};  // a drain costs 8 us and a wakeup
constexpr std::chrono::milliseconds kLongestDrain{600000};
constexpr std::chrono::milliseconds kShortestWindow{1000};
constexpr std::chrono::milliseconds kLongestWindow{600000};
constexpr std::chrono::milliseconds kShortestRaw = std::chrono::hours(1);
constexpr std::chrono::milliseconds kLongestKept = std::chrono::hours(24 * 3660);
constexpr std::chrono::milliseconds kShortestReport = std::chrono::minutes(1);
constexpr std::chrono::milliseconds kLongestReport = std::chrono::hours(24 * 366);
constexpr std::size_t kCommLength = 15;  // TASK_COMM_LEN - 1

/// host:port or [address]:port, as text; whether the address exists is known when it is bound.
bool is_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view digits = text.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
      port > 65535) {
    return false;
  }
  std::string_view host = text.substr(0, colon);
  if (host.front() == '[') {
    if (host.back() != ']' || host.size() < 4) return false;
    host = host.substr(1, host.size() - 2);
    return host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos &&
           host.find(':') != std::string_view::npos;
  }
  // A colon in the host is an IPv6 address without brackets.
  return host.find_first_of(" \t/:[]@") == std::string_view::npos;
}

bool is_glob(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

/// Relative paths would depend on where the agent was started; a bare name is looked up in the
/// maps.
bool is_path_or_name(std::string_view text) {
  return text.empty() || text.front() == '/' || text.find('/') == std::string_view::npos;
}

class Checker {
 public:
  Checker(const Config& config, const Locate& locate, Problems& problems)
      : config_(config), locate_(locate), problems_(problems) {}

  void run() {
    agent();
    std::map<std::string, std::string> names;
    std::size_t stages = 0;
    for (std::size_t i = 0; i < config_.targets.size(); ++i) {
      const std::string place = child("/targets", i);
      const Target& target = config_.targets[i];
      if (i == config_.limits.targets) {
        report(place,
               fmt::format("{} targets, but limits.targets is {}", config_.targets.size(), i),
               fmt::format("remove some, or raise limits.targets (at most {})", NZ_MAX_TARGETS));
      }
      unique(names, target.name, child(place, "name"), "target name");
      conditions(target.match, child(place, "match"));
      library(target.sqlite_library, child(child(place, "sqlite"), "library"));
      stages_of(target, child(place, "stages"), stages);
    }
  }

 private:
  void report(const std::string& pointer, std::string what, std::string remedy) {
    if (problems_.concern(pointer)) return;
    problems_.add({locate_(pointer, Part::kValue), pointer, std::move(what), std::move(remedy)});
  }

  void agent() {
    if (!is_host_port(config_.listen)) {
      report("/listen", fmt::format("listen: {} is not host:port", in_quotes(config_.listen)),
             "write for instance \"127.0.0.1:9718\", or \"[::1]:9718\" for IPv6");
    }
    tls();
    origins();
    duration("/drain_interval", config_.drain_interval, kShortestDrain, kLongestDrain, "1s");
    duration("/profile/window", config_.profile.window, kShortestWindow, kLongestWindow, "1m");
    duration("/history/raw", config_.history.raw, kShortestRaw, kLongestKept, "6h");
    duration("/history/minutes", config_.history.minutes, config_.history.raw, kLongestKept, "30d");
    duration("/history/hours", config_.history.hours, config_.history.minutes, kLongestKept,
             "400d");
    reports();
    ratio("/overhead/per_target", config_.overhead.per_target);
    ratio("/overhead/host", config_.overhead.host);
  }

  void reports() {
    const Reports& reports = config_.reports;
    if (!reports.schedule.empty() && reports.folder.empty() && config_.history.path.empty()) {
      report("/reports/schedule", "reports.schedule: the reports would be kept nowhere",
             "name reports.folder, or history.path");
    }
    std::map<std::string, std::string> names;
    for (std::size_t i = 0; i < reports.schedule.size(); i++) {
      const ReportSchedule& schedule = reports.schedule[i];
      const std::string place = child("/reports/schedule", i);
      unique(names, schedule.name, child(place, "name"), "schedule name");
      duration(child(place, "every"), schedule.every, kShortestReport, kLongestReport, "1d");
      if (schedule.offset >= schedule.every) {
        report(child(place, "offset"),
               fmt::format("{}: {} is not shorter than a period of {}",
                           display(child(place, "offset")), format_duration(schedule.offset),
                           format_duration(schedule.every)),
               "it says how long after its whole multiple a period ends: \"6h\" for 1d");
      }
    }
  }

  void duration(const std::string& pointer, std::chrono::milliseconds value,
                std::chrono::milliseconds least, std::chrono::milliseconds most,
                std::string_view example) {
    if (value >= least && value <= most) return;
    report(pointer,
           fmt::format("{}: {} is out of range, must be {} to {}", display(pointer),
                       format_duration(value), format_duration(least), format_duration(most)),
           fmt::format("write for instance \"{}\"", example));
  }

  // Whether the files are what they should be is known when they are read (http/tls.h, tokens.h).
  void tls() {
    const bool certificate = !config_.http.tls_certificate.empty();
    if (certificate == !config_.http.tls_key.empty()) return;
    report(certificate ? "/http/tls/certificate" : "/http/tls/key",
           certificate ? "http.tls.certificate without http.tls.key"
                       : "http.tls.key without http.tls.certificate",
           "give both, or none for plain HTTP");
  }

  void origins() {
    std::map<std::string, std::string> places;
    for (std::size_t i = 0; i < config_.http.cors_origins.size(); i++) {
      const std::string& origin = config_.http.cors_origins[i];
      const std::string place = child("/http/cors_origins", i);
      if (const auto mistake = mistake_in_origin(origin)) {
        report(place, fmt::format("{}: {} {}", display(place), in_quotes(origin), mistake->what),
               mistake->remedy);
      }
      unique(places, origin, place, "origin", "remove one of them");
    }
  }

  void ratio(const std::string& pointer, double value) {
    if (value > 0 && value <= 1) return;
    report(pointer,
           fmt::format("{}: {}% is out of range, must be above 0 and at most 100%",
                       display(pointer), value * 100),
           "write for instance \"1%\"");
  }

  void unique(std::map<std::string, std::string>& names, const std::string& name,
              const std::string& place, const char* kind,
              const char* remedy = "rename one of them") {
    if (name.empty()) return;  // missing: the schema says so
    const auto [first, fresh] = names.emplace(name, place);
    if (fresh) return;
    report(place,
           fmt::format("duplicate {} {}, first at {}", kind, in_quotes(name),
                       locate_(first->second, Part::kValue).text),
           remedy);
  }

  void conditions(const Match& match, const std::string& place) {
    if (match.comm.size() > kCommLength && !is_glob(match.comm)) {
      report(child(place, "comm"),
             fmt::format("{}: {} never matches, the kernel keeps {} characters of a command name",
                         display(child(place, "comm")), in_quotes(match.comm), kCommLength),
             fmt::format("write '{}', or match `exe`", match.comm.substr(0, kCommLength)));
    }
  }

  void library(const std::string& path, const std::string& place) {
    if (is_path_or_name(path)) return;
    report(place, fmt::format("{}: {} is a relative path", display(place), in_quotes(path)),
           "write an absolute path, or a library name without '/'");
  }

  void stages_of(const Target& target, const std::string& place, std::size_t& total) {
    std::map<std::string, std::string> names;
    unsigned pairs = 0;
    for (std::size_t i = 0; i < target.stages.size(); ++i) {
      const Stage& stage = target.stages[i];
      const std::string at = child(place, i);
      if (total++ == config_.limits.stages) {
        report(at,
               fmt::format("more stages than limits.stages, which is {}", config_.limits.stages),
               "remove some, or raise limits.stages");
      }
      if (!stage.from.empty() && pairs++ == NZ_OPEN_STAGES) {
        report(at, fmt::format("more than {} from/to stages in one target", NZ_OPEN_STAGES),
               "remove some: each thread keeps that many open stages");
      }
      unique(names, stage.name, child(at, "name"), "stage name");
      library(stage.binary, child(at, "binary"));
      if (stage.nothrow && stage.function.empty()) {
        report(child(at, "nothrow"), display(at) + ": 'nothrow' without 'function'",
               "remove it: from/to stages use no return probe");
      }
    }
  }

  const Config& config_;
  const Locate& locate_;
  Problems& problems_;
};

}  // namespace

void check_semantics(const Config& config, const Locate& locate, Problems& problems) {
  Checker(config, locate, problems).run();
}

}  // namespace nz::config
