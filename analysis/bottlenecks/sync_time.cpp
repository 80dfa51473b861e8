#include "analysis/bottlenecks/sync_time.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace nz::analysis {
namespace {

constexpr std::array<const char*, 5> kSyncCalls = {"fsync", "fdatasync", "msync", "sync_file_range",
                                                   "syncfs"};

double per(double sum, double count) { return count > 0 ? sum / count : 0; }

struct Sum {
  double seconds = 0, count = 0;
  void operator+=(const Sum& more) {
    seconds += more.seconds;
    count += more.count;
  }
};

// `of(window, labels)`: the Sum of one series in one window.
template <class Of>
SyncTime summed(const Context& context, const OrderPath& path, const std::string& family,
                const std::vector<Labels>& all, std::string_view probe, Of of) {
  SyncTime t;
  Sum now, before;
  for (const Labels& labels : all) {
    const Sum one = of(context.now, labels);
    if (one.seconds > 0 && t.family.empty()) {
      t.family = family;
      t.labels = labels;
    }
    now += one;
    before += of(context.before, labels);
  }
  t.now = path.per_order_now(now.seconds, probe);
  t.before = path.per_order_before(before.seconds, probe);
  t.count_now = path.per_order_now(now.count, probe);
  t.count_before = path.per_order_before(before.count, probe);
  t.mean_now = per(now.seconds, now.count);
  t.mean_before = per(before.seconds, before.count);
  t.seconds = now.seconds;
  return t;
}

SyncTime from_histograms(const Context& context, const OrderPath& path, const std::string& family,
                         const std::vector<Labels>& all, std::string_view probe) {
  const auto of = [&](const WindowIndex& window, const Labels& labels) {
    return Sum{window.sum_seconds(family, labels), window.count(family, labels)};
  };
  return summed(context, path, family, all, probe, of);
}

SyncTime from_blocked(const Context& context, const OrderPath& path,
                      const std::vector<Labels>& calls) {
  constexpr const char* kSeconds = "nearzero_blocked_syscall_seconds_total";
  const auto of = [](const WindowIndex& window, const Labels& labels) {
    return Sum{window.change(kSeconds, labels),
               window.change("nearzero_blocked_syscalls_total", labels)};
  };
  return summed(context, path, kSeconds, calls, "scheduler", of);
}

}  // namespace

SyncTime sqlite_wait(const Context& context, const OrderPath& path, const std::string& kind) {
  return from_histograms(context, path, "nearzero_sqlite_wait_seconds",
                         {{{"target", path.target()}, {"kind", kind}}}, "sqlite");
}

SyncTime sync_time(const Context& context, const OrderPath& path) {
  const SyncTime sqlite = sqlite_wait(context, path, "sync");
  if (!sqlite.family.empty()) return sqlite;
  std::vector<Labels> calls;
  calls.reserve(kSyncCalls.size());
  for (const char* call : kSyncCalls) {
    calls.push_back({{"target", path.target()}, {"syscall", call}});
  }
  SyncTime timed =
      from_histograms(context, path, "nearzero_syscall_duration_seconds", calls, "syscalls");
  if (!timed.family.empty()) return timed;
  return from_blocked(context, path, calls);
}

std::vector<Claim> claim_from(const OrderPath& path, double seconds,
                              std::initializer_list<Component> parts) {
  std::vector<Claim> claims;
  for (const Component part : parts) {
    const double taken = std::min(std::max(seconds, 0.0), path.excess(part));
    if (taken > 0) claims.push_back({part, taken});
    seconds -= taken;
  }
  return claims;
}

double part_of_syncs(const Context& context, const OrderPath& path, const Processors& cpu) {
  constexpr double kWaits = 3;  // the journal's thread, the completion's worker, the caller
  constexpr const char* kRunqueue = "nearzero_runqueue_latency_seconds";
  const SyncTime sync = sync_time(context, path);
  const double longer = sync.mean_now - sync.mean_before;
  if (!context.has_reference() || !cpu.saturated || longer <= 0) return 0;
  const Labels host{{"target", "host"}};
  const double wait = context.now.histogram(kRunqueue, host).quantile(0.99) -
                      context.before.histogram(kRunqueue, host).quantile(0.99);
  if (!std::isfinite(wait)) return 0;  // the host is not observed
  return std::clamp(kWaits * wait / longer, 0.0, 1.0);
}

std::vector<Claim> disk_claims(const OrderPath& path, const SyncTime& sync) {
  const double disk = path.excess(Component::disk);
  std::vector<Claim> claims;
  if (disk > 0) claims.push_back({Component::disk, disk});
  // A sync that is not seen as disk: a file system in user space, or one that sleeps.
  for (const Claim& claim :
       claim_from(path, sync.excess() - disk, {Component::other, Component::sleep})) {
    claims.push_back(claim);
  }
  return claims;
}

}  // namespace nz::analysis
