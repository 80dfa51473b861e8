// Tests only: a window made by hand of an order service and its host, healthy until told otherwise.
// The figures are those of nz-demo at 300 orders/s.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/bottlenecks/find.h"

namespace nz::analysis::test {

struct SceneStatement {
  std::string digest, text;
  double mean_us = 10, per_order = 1;
  double rows = 1;
};
struct SceneWait {
  double mean_us = 0, per_order = 0;
};

struct Scene {
  std::string target = "demo";
  double seconds = 10, to = 1'000'000;
  double rate = 300;           ///< orders per second
  bool stages = true;          ///< configured
  bool whole = true;           ///< with a stage "order" that contains the others
  double stages_observed = 1;  ///< duty ratio
  /// Microseconds per order, by stage and component.
  std::map<std::string, std::map<std::string, double>> us = {
      {"market_data", {{"running", 1}}},
      {"signal", {{"running", 100}, {"runnable", 2}}},
      {"risk", {{"running", 120}, {"runnable", 2}, {"lock", 1}}},
      {"persist", {{"running", 40}, {"disk", 12}, {"sleep", 2}, {"runnable", 1}}}};
  int cpus = 2;
  double background = 0.05;     ///< cores of the target beside its orders
  double own_kernel = 0.02;     ///< cores, of the target's
  double others = 0.1;          ///< cores of processes that are no targets
  double others_kernel = 0.02;  ///< of these
  double stolen = 0;
  int hog_cpu = -1;  ///< the CPU that `others` sits on
  bool host_metrics = true;
  double forks = 5;
  std::vector<SceneStatement> statements = {
      {"aa01", "SELECT max_quantity FROM risk_limits WHERE account = ?", 12, 1, 1},
      {"bb02", "INSERT INTO orders(account) VALUES(?)", 40, 1, 0}};
  std::map<std::string, SceneWait> waits = {{"sync", {1500, 0.008}}, {"checkpoint", {700, 0.007}}};
  std::vector<WindowSeries> more;

  [[nodiscard]] double sum_us(const std::string& component) const {
    double sum = 0;
    for (const auto& [stage, parts] : us) {
      const auto part = parts.find(component);
      if (part != parts.end()) sum += part->second;
    }
    return sum;
  }

  Scene& counter(std::string name, Labels labels, double per_second) {
    more.push_back({std::move(name), std::move(labels), per_second * seconds, 0, 0, 0, nullptr});
    return *this;
  }
  Scene& gauge(std::string name, Labels labels, double value) {
    more.push_back({std::move(name), std::move(labels), 0, value, value, value, nullptr});
    return *this;
  }
  /// `per_second` values of `value` seconds.
  Scene& histogram(std::string name, Labels labels, double per_second, double value) {
    more.push_back(
        {std::move(name), std::move(labels), 0, 0, 0, 0, values(per_second * seconds, value)});
    return *this;
  }

  static std::shared_ptr<const Histogram> values(double count, double value) {
    auto h = std::make_shared<Histogram>();
    const auto ns = static_cast<std::uint64_t>(std::llround(value * 1e9));
    const auto n = static_cast<std::uint64_t>(std::llround(count));
    if (n == 0) return h;
    const std::size_t bucket = bucket_index(ns);
    if (bucket == kZeroIndex) {
      h->zero = n;
    } else if (bucket == kOverflowIndex) {
      h->overflow = n;
    } else {
      h->buckets[bucket] = n;
    }
    h->sum_ns = ns * n;
    h->min_ns = h->max_ns = ns;
    return h;
  }

  [[nodiscard]] Window window() const {
    Window w;
    w.to = to;
    w.from = to - seconds;
    const auto add = [&](std::string name, Labels labels, double change) {
      w.series.push_back({std::move(name), std::move(labels), change, change, 0, 0, nullptr});
    };
    const auto add_values = [&](std::string name, Labels labels, double count, double value) {
      w.series.push_back({std::move(name), std::move(labels), 0, 0, 0, 0, values(count, value)});
    };
    const double orders = rate * seconds;
    if (stages) add_stages(w, orders * stages_observed);
    const double own = sum_us("running") * 1e-6 * rate + background;
    add_values("nearzero_oncpu_slice_seconds", {{"target", target}}, 1000 * seconds, own / 1000);
    const double runnable = sum_us("runnable") * 1e-6 * rate;
    add_values("nearzero_runqueue_latency_seconds", {{"target", target}, {"after", "wakeup"}},
               1000 * seconds, runnable / 1000);
    for (const char* reason : {"lock", "disk", "page_fault", "sleep", "network", "other"}) {
      const double each = sum_us(reason) * 1e-6;
      if (each > 0) {
        add_values("nearzero_offcpu_seconds", {{"target", target}, {"reason", reason}}, orders,
                   each);
      }
    }
    if (host_metrics) add_host(w, own);
    for (const SceneStatement& s : statements) {
      const Labels labels{{"target", target}, {"digest", s.digest}, {"statement", s.text}};
      const double n = orders * s.per_order;
      add_values("nearzero_sqlite_statement_duration_seconds", labels, n, s.mean_us * 1e-6);
      add("nearzero_sqlite_statements_total", labels, n);
      add("nearzero_sqlite_rows_total", labels, n * s.rows);
    }
    for (const auto& [kind, wait] : waits) {
      add_values("nearzero_sqlite_wait_seconds", {{"target", target}, {"kind", kind}},
                 orders * wait.per_order, wait.mean_us * 1e-6);
    }
    w.series.insert(w.series.end(), more.begin(), more.end());
    return w;
  }

 private:
  void add_stages(Window& w, double n) const {
    std::map<std::string, std::map<std::string, double>> all = us;
    if (whole) {
      for (const auto& [stage, parts] : us) {
        for (const auto& [component, value] : parts) all["order"][component] += value;
      }
    }
    for (const auto& [stage, parts] : all) {
      double total = 0;
      for (const auto& [component, value] : parts) {
        total += value;
        w.series.push_back({"nearzero_order_stage_component_seconds_total",
                            {{"target", target}, {"stage", stage}, {"component", component}},
                            value * 1e-6 * n,
                            0,
                            0,
                            0,
                            nullptr});
      }
      w.series.push_back({"nearzero_order_stage_duration_seconds",
                          {{"target", target}, {"stage", stage}},
                          0,
                          0,
                          0,
                          0,
                          values(n, total * 1e-6)});
    }
    w.series.push_back({"nearzero_probe_observed_seconds_total",
                        {{"probe", "stages"}, {"target", target}},
                        seconds * stages_observed,
                        0,
                        0,
                        0,
                        nullptr});
  }

  void add_host(Window& w, double own) const {
    const auto cpu_series = [&](int cpu, const char* mode, double cores) {
      w.series.push_back({"nearzero_host_cpu_seconds_total",
                          {{"cpu", std::to_string(cpu)}, {"mode", mode}},
                          cores * seconds,
                          0,
                          0,
                          0,
                          nullptr});
    };
    const double kernel = own_kernel + others_kernel;
    for (int cpu = 0; cpu < cpus; cpu++) {
      double busy = own / cpus;
      if (hog_cpu < 0) busy += others / cpus;
      if (cpu == hog_cpu) busy += others;
      busy = std::min(busy, 1.0);
      const double system = std::min(busy, kernel / cpus);
      cpu_series(cpu, "user", busy - system);
      cpu_series(cpu, "system", system);
      cpu_series(cpu, "steal", stolen / cpus);
      cpu_series(cpu, "idle", std::max(0.0, 1 - busy - stolen / cpus));
    }
    const auto add = [&](std::string name, Labels labels, double per_second) {
      w.series.push_back(
          {std::move(name), std::move(labels), per_second * seconds, 0, 0, 0, nullptr});
    };
    add("nearzero_target_cpu_seconds_total", {{"target", target}, {"mode", "user"}},
        own - own_kernel);
    add("nearzero_target_cpu_seconds_total", {{"target", target}, {"mode", "system"}}, own_kernel);
    add("nearzero_host_forks_total", {}, forks);
  }
};

inline std::vector<Finding> find(const Scene& now, const std::optional<Scene>& before = Scene{},
                                 const Details& details = {}, const Rules& rules = {}) {
  return find_bottlenecks(now.window(), before ? before->window() : Window{}, details, rules);
}

inline std::vector<std::string> kinds(const std::vector<Finding>& findings) {
  std::vector<std::string> all;
  for (const Finding& f : findings) all.push_back(f.kind);
  return all;
}

/// "cpu_saturation 0.42; lock_contention 0.2": for failure messages.
inline std::string told(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& f : findings) {
    text += f.id + " " + std::to_string(f.impact) + " (" + f.title + "); ";
  }
  return text.empty() ? "nothing" : text;
}

inline const Finding* of_kind(const std::vector<Finding>& findings, const std::string& kind) {
  const auto f = std::find_if(findings.begin(), findings.end(),
                              [&](const Finding& x) { return x.kind == kind; });
  return f == findings.end() ? nullptr : &*f;
}

}  // namespace nz::analysis::test
