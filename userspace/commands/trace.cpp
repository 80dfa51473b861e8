// nearzero trace: see userspace/trace/trace.h.
#include "userspace/trace/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>

#include "nearzero/abi.h"
#include "userspace/base/exit_codes.h"
#include "userspace/commands/command.h"
#include "userspace/commands/output.h"

namespace nz::commands {
namespace {

struct TraceOptions {
  std::vector<std::string> words;
  std::optional<pid_t> pid;
  std::string comm, exe, cgroup, unit, container;
  std::string by, slower, format = "text";
  bool no_stacks = false;
  trace::Request request;
};

// A number of seconds at the end of the words, as bcc's tools have it.
std::optional<double> as_seconds(const std::string& word) {
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

// "10ms" in nanoseconds; a bare number is no duration.
std::optional<uint64_t> parse_ns(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value <= 0) return std::nullopt;
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  const double factor = unit == "ns"   ? 1
                        : unit == "us" ? 1e3
                        : unit == "ms" ? 1e6
                        : unit == "s"  ? 1e9
                                       : 0;
  const double ns = value * factor;
  if (ns < 1 || ns > 1e15) return std::nullopt;
  return static_cast<uint64_t>(ns);
}

Result<void> take_words(const TraceOptions& options, trace::Request& request) {
  std::vector<std::string> words = options.words;
  std::vector<double> numbers;
  while (!words.empty() && numbers.size() < 2) {
    const auto number = as_seconds(words.back());
    if (!number) break;
    numbers.insert(numbers.begin(), *number);
    words.pop_back();
  }
  if (!numbers.empty()) {
    if (numbers[0] < 0.1 || numbers[0] > 86400)
      return fail(fmt::format("interval {} is out of range", numbers[0]), "0.1 to 86400 seconds");
    request.interval = numbers[0];
  }
  if (numbers.size() == 2) {
    if (numbers[1] < 1 || numbers[1] > 1e9 ||
        numbers[1] != static_cast<double>(static_cast<uint64_t>(numbers[1])))
      return fail(fmt::format("count {} is not a whole number of intervals", numbers[1]),
                  "1 or more");
    request.count = static_cast<uint64_t>(numbers[1]);
  }
  if (words.empty())
    return fail("no target is named",
                "for instance: nearzero trace runq; see nearzero trace --help");
  for (const std::string& word : words) {
    auto target = trace::parse_target(word);
    if (!target) return tl::unexpected(target.error());
    request.targets.push_back(std::move(*target));
  }
  return {};
}

void take_whose(const TraceOptions& options, trace::Request& request) {
  const auto say = [&request](const std::string& what, const std::string& value) {
    request.whose += (request.whose.empty() ? "" : ", ") + what + " " + value;
  };
  if (options.pid) {
    request.match.pid = options.pid;
    say("pid", std::to_string(*options.pid));
  }
  if (!options.comm.empty()) {
    request.match.comm = options.comm;
    say("command", options.comm);
  }
  if (!options.exe.empty()) {
    request.match.exe = options.exe;
    say("executable", options.exe);
  }
  // Units and containers are cgroups whose names contain theirs.
  if (!options.cgroup.empty()) {
    request.match.cgroup = options.cgroup;
    say("cgroup", options.cgroup);
  } else if (!options.unit.empty()) {
    const bool has_suffix = options.unit.find('.') != std::string::npos;
    request.match.cgroup = "*/" + options.unit + (has_suffix ? "" : ".service") + "*";
    say("unit", options.unit);
  } else if (!options.container.empty()) {
    request.match.cgroup = "*" + options.container + "*";
    say("container", options.container);
  }
}

constexpr const char* kBy[] = {"pid",     "tid",       "comm",  "cpu",
                               "syscall", "statement", "error", "detail"};

Result<void> take_by(const TraceOptions& options, trace::Request& request) {
  for (const std::string& word : CLI::detail::split(options.by, ',')) {
    if (word.empty()) continue;
    if (std::find(std::begin(kBy), std::end(kBy), word) == std::end(kBy))
      return fail("--by '" + word + "' is not known",
                  "one or more of pid, tid, comm, cpu, syscall, statement, error, detail, with "
                  "commas between");
    if (word == "pid") request.by |= NZ_BY_PID;
    if (word == "tid") request.by |= NZ_BY_TID;
    if (word == "comm") request.by |= NZ_BY_COMM;
    if (word == "cpu") request.by_cpu = true;
    // Statements have rows of their own in any case; off-CPU time tells in which syscall, a syscall
    // with which error.
    if (word == "syscall" || word == "error" || word == "detail") request.by |= NZ_BY_NUMBER;
  }
  if ((request.by & NZ_BY_PID) != 0 && (request.by & NZ_BY_TID) != 0)
    return fail("--by pid and --by tid exclude each other", "a thread's id tells its process");
  return {};
}

int run_trace(const TraceOptions& options) {
  trace::Request request = options.request;
  request.json = options.format == "json";
  request.stacks = !options.no_stacks;
  for (auto taken : {take_words(options, request), take_by(options, request)}) {
    if (!taken) return report("trace", taken.error(), kUsage);
  }
  if (!options.slower.empty()) {
    const auto limit = parse_ns(options.slower);
    if (!limit)
      return report("trace",
                    Error{"--slower '" + options.slower + "' is no duration",
                          "write for instance 10ms, 500us or 1s"},
                    kUsage);
    request.slower_ns = *limit;
  }
  take_whose(options, request);
  return trace::run(request);
}

}  // namespace

Command add_trace(CLI::App& app) {
  auto options = std::make_shared<TraceOptions>();
  trace::Request& request = options->request;
  auto* sub = app.add_subcommand(
      "trace",
      "Latencies of any process, now, without an agent: histograms and single slow events");
  sub->add_option("target", options->words,
                  "runq, offcpu, oncpu, syscalls, sqlite, block, tcp, pagefaults, futex,\n"
                  "func:BINARY:SYMBOL, usdt:BINARY:PROVIDER:NAME[..NAME]; then [interval [count]]")
      ->required();
  sub->add_option("-p,--pid", options->pid, "This process (its children, too)")
      ->check(pid_validator());
  sub->add_option("-n,--comm", options->comm, "Processes with this command name (glob)");
  sub->add_option("--exe", options->exe, "Processes with this executable (glob on path or name)");
  auto* cgroup = sub->add_option("-c,--cgroup", options->cgroup, "Processes below this cgroup");
  auto* unit = sub->add_option("--unit", options->unit, "Processes of this systemd unit");
  auto* container =
      sub->add_option("--container", options->container, "Processes of the container with this id");
  unit->excludes(cgroup);
  container->excludes(cgroup)->excludes(unit);
  sub->add_option("-d,--duration", request.duration, "Seconds until it ends by itself")
      ->check(CLI::Range(0.05, 1e7));
  sub->add_option("-i,--interval", request.interval,
                  "Seconds between two outputs; 0: one, at the end")
      ->check(CLI::Range(0.0, 86400.0));
  // One word: of several it would take the targets behind it, too.
  sub->add_option("--by", options->by,
                  "A row for each pid, tid, comm, cpu, syscall, error, detail: a list with commas");
  sub->add_option("-s,--slower", options->slower,
                  "Also print single events from this duration on, with stacks (10ms)");
  sub->add_flag("--no-stacks", options->no_stacks, "Single events without stacks");
  sub->add_option("-t,--top", request.rows, "Rows at most, those with most time; 0: all")
      ->capture_default_str();
  sub->add_option("--pictures", request.pictures, "Histograms drawn, of the first rows")
      ->capture_default_str();
  sub->add_option("--keys", request.keys, "Different rows that are kept")
      ->check(CLI::Range(64, 65536))
      ->capture_default_str();
  sub->add_flag("-y,--yes", request.yes, "Attach also when it is estimated above the budget");
  sub->add_option("--budget", request.budget, "Share of one core that it may take")
      ->check(CLI::Range(0.0001, 64.0))
      ->capture_default_str();
  sub->add_flag("--nothrow", request.nothrow,
                "No exception passes through the traced functions: return probes are allowed");
  add_format(*sub, options->format);
  sub->footer(examples(
      {{"nearzero trace runq 1 3", "wait for a CPU, every second, three times"},
       {"nearzero trace offcpu -p $$ -d 2", "what a process waits for"},
       {"nearzero trace syscalls -n sshd --by pid -d 1", "by process"},
       {"nearzero trace sqlite -d 2", "statements of every process that uses SQLite"},
       {"nearzero trace block runq -d 1 --slower 10ms", "and single events above 10 ms"},
       {"nearzero trace 'func:libc:malloc' -p $$ -d 1", "a function of a library, in one process"},
       {"nearzero trace usdt:libstdc++:libstdcxx:throw -d 1", "a USDT probe: C++ exceptions"},
       {"nearzero trace runq -d 1 -f json", "one object an interval"}},
      "Costs are estimated before anything is attached; above --budget it asks, or without a "
      "terminal\nneeds --yes. Above twice the budget it detaches by itself, prints, and ends with "
      "10."));
  return {sub, [options] { return run_trace(*options); }};
}

}  // namespace nz::commands
