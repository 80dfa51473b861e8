// File descriptors run out: of the target (RLIMIT_NOFILE, EMFILE) or of the host (fs.file-max,
// ENFILE). No open, accept or SQLite journal works then.
#include <algorithm>

#include "analysis/bottlenecks/kinds.h"
#include "analysis/text.h"

namespace nz::analysis {
namespace {

constexpr const char* kFailedCalls = "nearzero_syscall_errors_total";

struct Files {
  std::optional<double> used, limit;
  [[nodiscard]] double share() const { return used && limit && *limit > 0 ? *used / *limit : 0; }
};

Files files(const WindowIndex& window, const char* family, Labels labels) {
  labels.emplace_back("kind", "used");
  Files f;
  f.used = window.value(family, labels);
  labels.back().second = "limit";
  f.limit = window.value(family, labels);
  return f;
}

void judge(const Context& context, const OrderPath& path, bool host, std::vector<Candidate>& out) {
  const Rules& rules = context.rules;
  const char* family = host ? "nearzero_host_open_files" : "nearzero_target_open_files";
  const Labels labels = host ? Labels{} : Labels{{"target", path.target()}};
  const Files now = files(context.now, family, labels);
  const Files before = files(context.before, family, labels);
  const char* code = host ? "ENFILE" : "EMFILE";
  const Labels failed{{"target", path.target()}, {"errno", code}};
  const double errors = context.now.change(kFailedCalls, failed);
  const double errors_before = context.before.change(kFailedCalls, failed);
  if (now.share() < rules.open_files && errors < 1) return;

  Candidate c = candidate("fd_exhaustion", path, host ? "host open files" : "");
  if (!host) c.finding.where = "open files of " + path.target();
  const std::string whose = host ? "The host" : "The service";
  c.finding.title = errors >= 1 ? whose + " has no file descriptors left: " + number_text(errors) +
                                      " calls failed with " + code
                                : whose + " has " + number_text(*now.used) + " of " +
                                      number_text(*now.limit) + " file descriptors open";
  if (now.used && now.limit) {
    c.finding.evidence.push_back(
        evidence(family, labels, "open, of the limit", now.share(),
                 before.used ? std::optional<double>(before.share()) : std::nullopt, "ratio"));
  }
  if (errors >= 1) {
    c.finding.evidence.push_back(evidence(
        kFailedCalls, failed, "failed calls", errors,
        context.has_reference() ? std::optional<double>(errors_before) : std::nullopt, ""));
    c.failed = std::min(1.0, path.per_order_now(errors, "syscalls"));
  }
  c.finding.recommendation =
      host
          ? "Find who holds them: for p in /proc/[0-9]*; do echo $(ls $p/fd | wc -l) $p; done | "
            "sort -n | tail. Raise fs.file-max (sysctl) meanwhile."
          : "Find what leaks: ls -l /proc/PID/fd | awk '{print $NF}' | sort | uniq -c | sort -rn | "
            "head (sockets: ss -tnp; CLOSE-WAIT are connections that the service does not close). "
            "Raise the limit now: prlimit --pid PID --nofile=65536, and LimitNOFILE=65536 in the "
            "unit; then close what leaks.";
  c.always = true;
  c.least_severity = errors >= 1 || now.share() >= rules.open_files_critical ? Severity::critical
                                                                             : Severity::warning;
  c.symptoms = {errors >= 1 && now.share() >= rules.open_files, now.share() >= 0.98};
  out.push_back(std::move(c));
}

}  // namespace

void find_fd_exhaustion(const Context& context, const OrderPath& path,
                        std::vector<Candidate>& out) {
  judge(context, path, false, out);
  judge(context, path, true, out);
}

}  // namespace nz::analysis
