#include "tests/detection/watch_cost.h"

#include <malloc.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/watch/watch.h"

namespace nz::test {
namespace {

constexpr double kFirstLook = 1'704'067'200;  // 2024-01-01 00:00 UTC
constexpr double kBetweenLooks = 10;
constexpr std::size_t kValuesALook = 120;  // of a histogram: a p99 takes 100
constexpr std::size_t kSlowLooks = 60;
constexpr double kSlower = 3;

enum class Moves { latency, counter, level, never };

// Series of one service, as a service with an order path, SQLite and system calls has them.
struct Mixed {
  std::string_view family, label;
  std::size_t series;
  Moves moves;
  std::string_view value = {};  // of the label; empty: numbered
};

constexpr std::size_t kStatements = 16;
constexpr std::array kMix = {
    Mixed{"nearzero_order_stage_duration_seconds", "stage", 10, Moves::latency},
    Mixed{"nearzero_sqlite_statement_duration_seconds", "digest", kStatements, Moves::latency},
    Mixed{"nearzero_sqlite_statements_total", "digest", kStatements, Moves::counter},
    Mixed{"nearzero_sqlite_statement_errors_total", "digest", 4, Moves::never},
    Mixed{"nearzero_sqlite_wait_seconds", "kind", 3, Moves::latency},
    Mixed{"nearzero_sqlite_database_bytes", "kind", 3, Moves::level},
    Mixed{"nearzero_runqueue_latency_seconds", "after", 2, Moves::latency},
    Mixed{"nearzero_syscall_duration_seconds", "syscall", 10, Moves::latency},
    Mixed{"nearzero_syscall_errors_total", "syscall", 3, Moves::counter},
    Mixed{"nearzero_tcp_round_trip_seconds", "", 1, Moves::latency},
    Mixed{"nearzero_tcp_connect_duration_seconds", "", 1, Moves::latency},
    Mixed{"nearzero_tcp_retransmits_total", "", 1, Moves::counter},
    Mixed{"nearzero_target_cpu_seconds_total", "mode", 2, Moves::counter},
    Mixed{"nearzero_target_page_faults_total", "kind", 2, Moves::counter},
    Mixed{"nearzero_target_throttled_seconds_total", "", 1, Moves::never},
    Mixed{"nearzero_target_memory_bytes", "kind", 1, Moves::level, "resident"},
    Mixed{"nearzero_target_open_files", "kind", 1, Moves::never, "used"},
    Mixed{"nearzero_target_threads", "", 1, Moves::never},
    // Not watched: a look passes over them.
    Mixed{"nearzero_sqlite_rows_total", "digest", kStatements, Moves::counter},
    Mixed{"nearzero_blocked_syscall_seconds_total", "syscall", 10, Moves::counter},
};
constexpr std::array<std::string_view, 3> kDutyCycled = {"stages", "sqlite", "syscalls"};

std::string name_of_target(std::size_t target) { return "service-" + std::to_string(target); }

analysis::Labels labels_of(const Mixed& mixed, std::size_t target, std::size_t number) {
  analysis::Labels labels{{"target", name_of_target(target)}};
  if (mixed.label.empty()) return labels;
  const std::string value = mixed.value.empty()
                                ? std::string(mixed.label) + '-' + std::to_string(number)
                                : std::string(mixed.value);
  labels.emplace_back(mixed.label, value);
  if (mixed.label == "digest")
    labels.emplace_back("statement", "SELECT id, price, quantity FROM orders_" +
                                         std::to_string(number) + " WHERE account = ?");
  return labels;
}

// A host's windows, one after the other. What a look needs is made before it, in the same memory.
class Host {
 public:
  explicit Host(std::size_t targets) {
    for (double& factor : factors_) factor = std::exp(0.5 * normal_(bits_));
    for (std::size_t target = 0; target < targets; target++) add_target(target);
    for (std::size_t i = 0; i < usual_.size(); i++) {
      usual_[i] = fresh_histogram(1);
      slow_[i] = fresh_histogram(kSlower);
    }
  }

  /// The window of look number `look`, with the first service slow or not.
  const analysis::Window& next(std::size_t look, bool slow) {
    window_.from = kFirstLook + kBetweenLooks * static_cast<double>(look);
    window_.to = window_.from + kBetweenLooks;
    if (slow && !slow_from_) slow_from_ = window_.from;
    if (slow) slow_to_ = window_.to;
    for (std::size_t i = 0; i < window_.series.size(); i++) move(i, slow);
    return window_;
  }

  /// An hour at most, as the agent's history answers: of the values of histograms alone.
  [[nodiscard]] std::vector<analysis::Slice> slices(const analysis::Quantity& of, double from,
                                                    double to) const {
    std::vector<analysis::Slice> found;
    if (!of.statistic.starts_with('p')) return found;
    const bool of_first = of.labels.front().second == name_of_target(0);
    const double passed = std::ceil(std::max(0.0, from - kFirstLook) / kBetweenLooks);
    auto look = static_cast<std::size_t>(passed);
    for (;; look++) {
      const double begin = kFirstLook + kBetweenLooks * static_cast<double>(look);
      if (begin + kBetweenLooks > to) return found;
      const bool slow = of_first && slow_from_ && begin >= *slow_from_ && begin < slow_to_;
      found.push_back(
          {begin, begin + kBetweenLooks, (slow ? slow_ : usual_)[look % usual_.size()]});
    }
  }

  [[nodiscard]] std::size_t histograms() const {
    return static_cast<std::size_t>(std::count(moves_.begin(), moves_.end(), Moves::latency));
  }

 private:
  void add_target(std::size_t target) {
    for (const Mixed& mixed : kMix) {
      for (std::size_t number = 0; number < mixed.series; number++)
        add(mixed.family, labels_of(mixed, target, number), mixed.moves, target);
    }
    for (const std::string_view probe : kDutyCycled) {
      add("nearzero_probe_observed_seconds_total",
          {{"target", name_of_target(target)}, {"probe", std::string(probe)}}, Moves::never,
          target);
      window_.series.back().change = kBetweenLooks / 2;
    }
  }

  void add(std::string_view family, analysis::Labels labels, Moves moves, std::size_t target) {
    analysis::WindowSeries series;
    series.name = family;
    series.labels = std::move(labels);
    histograms_.push_back(moves == Moves::latency ? std::make_shared<analysis::Histogram>()
                                                  : nullptr);
    series.histogram = histograms_.back();
    series.value = 100;
    window_.series.push_back(std::move(series));
    moves_.push_back(moves);
    of_first_.push_back(target == 0);
  }

  void move(std::size_t i, bool slow) {
    analysis::WindowSeries& series = window_.series[i];
    switch (moves_[i]) {
      case Moves::latency:
        fill(*histograms_[i], slow && of_first_[i] ? kSlower : 1);
        return;
      case Moves::counter:
        series.change = std::round(1'000 * std::exp(0.1 * normal_(bits_)));
        return;
      case Moves::level:
        series.value = 1e8 * std::exp(0.02 * normal_(bits_));
        return;
      case Moves::never:
        return;
    }
  }

  // Latencies about a millisecond, slower or faster together from one look to the next.
  void fill(analysis::Histogram& histogram, double slower) {
    histogram = {};
    const double level = 1e6 * slower * std::exp(0.1 * normal_(bits_));
    for (std::size_t i = 0; i < kValuesALook; i++)
      histogram.record(static_cast<std::uint64_t>(level * factors_[bits_() % factors_.size()]));
  }

  std::shared_ptr<const analysis::Histogram> fresh_histogram(double slower) {
    auto histogram = std::make_shared<analysis::Histogram>();
    fill(*histogram, slower);
    return histogram;
  }

  std::mt19937_64 bits_{1};
  std::normal_distribution<double> normal_;
  std::array<double, 4096> factors_{};  // of single values; drawing them anew would take longer
  analysis::Window window_;
  std::vector<std::shared_ptr<analysis::Histogram>> histograms_;  // by series; null: none
  std::vector<Moves> moves_;
  std::vector<bool> of_first_;
  std::array<std::shared_ptr<const analysis::Histogram>, 64> usual_, slow_;
  std::optional<double> slow_from_;
  double slow_to_ = 0;
};

// Bytes that malloc has handed out, with its own overhead.
double allocated() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

}  // namespace

WatchCost measure_watch(const WatchCostOptions& options) {
  Host host(options.targets);
  WatchCost cost;
  cost.histograms = host.histograms();
  const double before = allocated();
  analysis::Watch watch;
  const auto history = [&](const analysis::Quantity& of, double from, double to) {
    return host.slices(of, from, to);
  };
  const std::size_t slow_from = options.warm + options.measured / 4;
  double seconds = 0;
  for (std::size_t look = 0; look < options.warm + options.measured; look++) {
    const bool slow = look >= slow_from && look < slow_from + kSlowLooks;
    const analysis::Window& window = host.next(look, slow);
    const std::clock_t from = std::clock();
    const auto changes = watch.look(window, history, {});
    const double took = static_cast<double>(std::clock() - from) / CLOCKS_PER_SEC;
    if (look < options.warm) continue;
    seconds += took;
    cost.slowest_look = std::max(cost.slowest_look, took);
    cost.regressions += changes.regressions.opened.size();
    cost.incidents += changes.incidents.opened.size();
  }
  cost.quantities = watch.series();
  const auto quantities = static_cast<double>(cost.quantities);
  cost.bytes = std::max(0.0, allocated() - before) / quantities;
  cost.nanoseconds = seconds * 1e9 / (quantities * static_cast<double>(options.measured));
  return cost;
}

}  // namespace nz::test
