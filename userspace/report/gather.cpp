#include "userspace/report/gather.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include "analysis/bottlenecks/order_path.h"
#include "userspace/report/document/words.h"

namespace nz::report {
namespace {

using analysis::Labels;
using analysis::Quantity;
using analysis::WindowIndex;

constexpr std::size_t kMostServices = 8, kMostDisks = 4;
constexpr double kPoints = 100;
// Less of the time before than this says nothing of it.
constexpr double kLeastCovered = 0.5;

struct Range {
  double from, to, step;
};

double step_of(double seconds, double resolution) {
  const double least = std::max(resolution, 1e-3);
  return std::max(1.0, std::ceil(seconds / kPoints / least)) * least;
}

history::Selector selector_of(const Quantity& of) {
  history::Selector selector{of.name, of.labels, std::nullopt, of.statistic == "mean"};
  if (of.statistic.starts_with('p')) {
    double percent = 0;
    const char* begin = of.statistic.data() + 1;
    std::from_chars(begin, of.statistic.data() + of.statistic.size(), percent);
    selector.quantile = percent / 100;
  }
  return selector;
}

class Gatherer {
 public:
  Gatherer(const Data& data, const Range& range, double shift)
      : data_(data), range_(range), shift_(shift) {}

  /// One series, or several as `joined` makes one value of them.
  template <class Joined>
  void add(Quantity of, Joined joined) {
    TrendLine line;
    line.of = std::move(of);
    line.now = joined(trends(line.of, 0));
    if (line.now.empty()) return;
    if (shift_ > 0) {
      line.before = joined(trends(line.of, shift_));
      for (history::Point& p : line.before) p.at += shift_;
    }
    lines_.push_back(std::move(line));
  }
  void add(Quantity of) { add(std::move(of), summed); }
  /// Divided by another quantity, point by point, where that one is above 0.
  void add_by(Quantity of, const Quantity& by) {
    double shift = 0;  // add() asks for now, then for before
    add(std::move(of), [&](const std::vector<history::Trend>& counts) {
      auto points = summed(counts);
      const auto divisors = summed(trends(by, shift));
      shift = shift_;
      for (std::size_t i = 0; i < std::min(points.size(), divisors.size()); i++) {
        if (divisors[i].value > 0) points[i].value /= divisors[i].value;
      }
      return points;
    });
  }
  std::vector<TrendLine> take() { return std::move(lines_); }

  /// Point by point; a series that has no value there counts for nothing.
  static std::vector<history::Point> summed(const std::vector<history::Trend>& trends) {
    std::vector<history::Point> sum;
    for (const history::Trend& trend : trends) {
      if (sum.size() < trend.points.size()) sum.resize(trend.points.size(), {0, NAN});
      for (std::size_t i = 0; i < trend.points.size(); i++) {
        const history::Point& p = trend.points[i];
        sum[i].at = p.at;
        if (!std::isfinite(p.value)) continue;
        sum[i].value = std::isfinite(sum[i].value) ? sum[i].value + p.value : p.value;
      }
    }
    return sum;
  }

 private:
  [[nodiscard]] std::vector<history::Trend> trends(const Quantity& of, double shift) const {
    return data_.trends(selector_of(of), range_.from - shift, range_.to - shift, range_.step);
  }

  const Data& data_;
  const Range range_;
  const double shift_;
  std::vector<TrendLine> lines_;
};

// Busy is what idle leaves: one minus the mean of the idle seconds a second, of the CPUs that have
// a figure then.
std::vector<history::Point> busy_of_idle(const std::vector<history::Trend>& idle) {
  std::vector<history::Point> busy = Gatherer::summed(idle);
  for (std::size_t i = 0; i < busy.size(); i++) {
    const auto known = std::count_if(idle.begin(), idle.end(), [i](const history::Trend& trend) {
      return i < trend.points.size() && std::isfinite(trend.points[i].value);
    });
    if (known > 0)
      busy[i].value = std::clamp(1 - busy[i].value / static_cast<double>(known), 0.0, 1.0);
  }
  return busy;
}

void add_service(const WindowIndex& now, const std::string& target, Gatherer& gatherer) {
  constexpr const char* kDuration = "nearzero_order_stage_duration_seconds";
  std::string stage = analysis::whole_stage(now, target, "");
  if (stage.empty()) {
    double longest = 0;
    for (const auto* s : now.find(kDuration, {{"target", target}})) {
      const double seconds = s->histogram ? static_cast<double>(s->histogram->sum_ns) : 0;
      if (seconds > longest) {
        longest = seconds;
        stage = analysis::label_of(*s, "stage");
      }
    }
  }
  if (!stage.empty()) {
    const Labels labels{{"target", target}, {"stage", stage}};
    for (const char* statistic : {"p50", "p99"})
      gatherer.add({kDuration, labels, statistic, "seconds"});
    // Under a duty cycle a part of all is seen, in each step another part.
    gatherer.add_by({kDuration, labels, "rate", "per second"},
                    {"nearzero_probe_observed_seconds_total",
                     {{"probe", "stages"}, {"target", target}},
                     "rate",
                     "ratio"});
  }
  const Labels own{{"target", target}};
  if (now.has("nearzero_runqueue_latency_seconds", {{"target", target}, {"after", "wakeup"}}))
    gatherer.add({"nearzero_runqueue_latency_seconds",
                  {{"target", target}, {"after", "wakeup"}},
                  "p99",
                  "seconds"});
  for (const char* kind : {"sync", "busy"}) {
    const Labels labels{{"target", target}, {"kind", kind}};
    if (now.count("nearzero_sqlite_wait_seconds", labels) > 0)
      gatherer.add({"nearzero_sqlite_wait_seconds", labels, "p99", "seconds"});
  }
  if (now.has("nearzero_target_cpu_seconds_total", own))
    gatherer.add({"nearzero_target_cpu_seconds_total", own, "rate", "cores"});
  const Labels resident{{"target", target}, {"kind", "resident"}};
  if (now.has("nearzero_target_memory_bytes", resident))
    gatherer.add({"nearzero_target_memory_bytes", resident, "value", "bytes"});
}

void add_host(const WindowIndex& now, Gatherer& gatherer) {
  constexpr const char* kCpu = "nearzero_host_cpu_seconds_total";
  if (now.has(kCpu, {{"mode", "idle"}}))
    gatherer.add({kCpu, {{"mode", "idle"}}, "rate", "ratio"}, busy_of_idle);
  // The busiest disks.
  constexpr const char* kBusy = "nearzero_disk_busy_seconds_total";
  std::vector<std::pair<double, std::string>> disks;
  for (const std::string& device : now.values_of(kBusy, "device"))
    disks.emplace_back(std::max(0.0, now.change(kBusy, {{"device", device}})), device);
  std::stable_sort(disks.begin(), disks.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::size_t shown = 0;
  for (const auto& [seconds, device] : disks) {
    if (shown++ == kMostDisks || seconds <= 0) break;
    gatherer.add({kBusy, {{"device", device}}, "rate", "ratio"});
  }
}

}  // namespace

std::optional<Compare> parse_compare(std::string_view text) {
  if (text == "previous") return Compare{};
  if (text == "none") return Compare{Compare::Kind::none, 0};
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value) || value <= 0) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  static const std::map<std::string_view, double> kUnits = {
      {"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 7 * 86400.0}};
  const auto found = kUnits.find(unit);
  constexpr double kMost = 3 * 366 * 86400.0;
  if (found == kUnits.end() || value * found->second > kMost) return std::nullopt;
  return Compare{Compare::Kind::earlier, value * found->second};
}

double shift_of(const Compare& compare, double from, double to) {
  switch (compare.kind) {
    case Compare::Kind::previous:
      return to - from;
    case Compare::Kind::earlier:
      return compare.earlier;
    case Compare::Kind::none:
      break;
  }
  return 0;
}

std::string name_of(const Compare& compare, double from, double to) {
  if (compare.kind == Compare::Kind::none) return "";
  if (compare.kind == Compare::Kind::previous) return "the " + span_text(to - from) + " before";
  return "the same time " + span_text(compare.earlier) + " before";
}

Input gather(const Data& data, double from, double to, const Compare& compare) {
  Input input;
  input.from = from;
  input.to = to;
  input.created = to;
  input.now = data.window(from, to);
  input.history_from = data.oldest();
  input.range_covered = input.history_from != 0 && from >= input.history_from - data.resolution();
  double shift = shift_of(compare, from, to);
  if (shift > 0) {
    input.before_name = name_of(compare, from, to);
    input.before = data.window(from - shift, to - shift);
    if (!(input.before.seconds() >= kLeastCovered * (to - from))) {
      input.no_before = input.history_from > 0
                            ? "history begins at " + time_text(input.history_from)
                            : "there is no history";
      input.before = {};
      shift = 0;
    }
  }
  const WindowIndex now(input.now);
  Gatherer gatherer(data, {from, to, step_of(to - from, data.resolution())}, shift);
  std::size_t services = 0;
  for (const std::string& target : now.values_of("nearzero_oncpu_slice_seconds", "target")) {
    if (target != "host" && services++ < kMostServices) add_service(now, target, gatherer);
  }
  if (services == 0) {
    for (const std::string& target :
         now.values_of("nearzero_order_stage_duration_seconds", "target")) {
      if (services++ < kMostServices) add_service(now, target, gatherer);
    }
  }
  add_host(now, gatherer);
  input.trends = gatherer.take();
  return input;
}

}  // namespace nz::report
