#include "userspace/cli/top_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "userspace/cli/terminal.h"

namespace nz::cli {
namespace {

// One section of the table: families, and what of their labels names a row.
struct Section {
  const char* title;
  std::vector<std::pair<std::string, std::string>> families;  // family -> prefix of the row's name
  bool busiest_first;  // by total time; else in the families' order
  const char* probe;   // whose duty cycle it has
};

const std::array<Section, 4>& sections() {
  static const std::array<Section, 4> all = {{
      {"SCHEDULER",
       {{"nearzero_runqueue_latency_seconds", "run queue"},
        {"nearzero_oncpu_slice_seconds", "on CPU"},
        {"nearzero_offcpu_seconds", "off CPU"}},
       false,
       "scheduler"},
      {"ORDER PATH", {{"nearzero_order_stage_duration_seconds", ""}}, false, "stages"},
      {"SQLITE",
       {{"nearzero_sqlite_statement_duration_seconds", "inside"},
        {"nearzero_sqlite_statement_open_seconds", "open"},
        {"nearzero_sqlite_wait_seconds", "wait"},
        {"nearzero_sqlite_compile_seconds", "compile"}},
       true,
       "sqlite"},
      {"SYSCALLS", {{"nearzero_syscall_duration_seconds", ""}}, true, "syscalls"},
  }};
  return all;
}

struct Row {
  std::string target, name;
  analysis::Histogram histogram;
};

std::string row_name(const std::string& prefix, const Labels& labels) {
  std::string name = prefix;
  for (const char* label : {"after", "reason", "stage", "kind", "syscall", "statement"}) {
    const auto found = labels.find(label);
    if (found == labels.end()) continue;
    if (!name.empty()) name += ' ';
    name += label == std::string("after") ? "after " + found->second : found->second;
  }
  return name;
}

std::vector<Row> rows_of(const Section& section, const LiveData& window) {
  std::vector<Row> rows;
  for (const auto& [family, prefix] : section.families) {
    for (const auto& [key, histogram] : window.histograms) {
      if (key.family != family || histogram.count() == 0) continue;
      const auto target = key.labels.find("target");
      rows.push_back({target == key.labels.end() ? "" : target->second,
                      row_name(prefix, key.labels), histogram});
    }
  }
  if (section.busiest_first) {
    std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
      return a.histogram.sum_ns > b.histogram.sum_ns;
    });
  }
  return rows;
}

// How long the probe observed the target in this window. Where it has no duty cycle: all the time.
double observed_seconds(const LiveData& window, const char* probe, const std::string& target,
                        double seconds) {
  const auto found = window.values.find(
      {"nearzero_probe_observed_seconds_total", {{"probe", probe}, {"target", target}}});
  return found == window.values.end() || found->second <= 0 ? seconds : found->second;
}

// The targets that are observed part of the time, for the line below the table.
std::string duty_text(const LiveData& now) {
  std::map<std::string, double> ratios;
  for (const auto& [key, value] : now.values) {
    if (key.family == "nearzero_probe_duty_ratio" && value < 1)
      ratios[key.labels.at("target")] = value;
  }
  std::string text;
  for (const auto& [target, ratio] : ratios)
    text += fmt::format("{} {} {:.0f} % of the time", text.empty() ? "" : ",", target, ratio * 100);
  return text.empty() ? text
                      : "to hold the budget observes" + text + "; rates are those meanwhile\n";
}

// What the agent's rules hold for limits now, a line for each target.
std::string limits_text(const LiveData& now) {
  std::map<std::string, std::vector<std::pair<double, std::string>>> kinds;
  for (const auto& [key, impact] : now.values) {
    if (key.family == "nearzero_bottleneck_impact_ratio")
      kinds[key.labels.at("target")].emplace_back(impact, key.labels.at("kind"));
  }
  std::string text;
  for (auto& [target, found] : kinds) {
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    std::string list;
    for (const auto& [impact, kind] : found)
      list += fmt::format("{}{} {:.0f} %", list.empty() ? "" : ", ", cut(kind, 40), impact * 100);
    text += fmt::format("limits {}: {} of an order's time; GET /performance/bottlenecks says why\n",
                        cut(target, 40), list);
  }
  return text;
}

}  // namespace

bool has_pauses(const LiveData& now) { return !duty_text(now).empty(); }

std::string top_table(const LiveData& window, const LiveData& now, double seconds,
                      const TableStyle& style) {
  const char* bold = style.colour ? "\033[1m" : "";
  const char* dim = style.colour ? "\033[2m" : "";
  const char* plain = style.colour ? "\033[0m" : "";
  constexpr size_t kTarget = 10;
  constexpr size_t kFigures = 6 * 9;
  const size_t name_width = std::max<size_t>(20, style.width - kTarget - kFigures - 2);
  std::string out;
  for (const Section& section : sections()) {
    const std::vector<Row> rows = rows_of(section, window);
    out += fmt::format("{}{:<{}}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{}\n", bold, section.title,
                       kTarget + name_width + 1, "count/s", "p50", "p90", "p99", "max", "busy/s",
                       plain);
    if (rows.empty()) out += fmt::format("{}  nothing in this window{}\n", dim, plain);
    size_t shown = 0;
    for (const Row& row : rows) {
      if (shown++ == style.rows_per_section) {
        out +=
            fmt::format("{}  … and {} more{}\n", dim, rows.size() - style.rows_per_section, plain);
        break;
      }
      const analysis::Histogram& h = row.histogram;
      const double observed = observed_seconds(window, section.probe, row.target, seconds);
      // fmt counts code points, as cut() does.
      out += fmt::format(
          "{:<{}} {:<{}}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}\n", cut(row.target, kTarget - 1),
          kTarget - 1, " " + cut(row.name, name_width - 1), name_width + 1,
          count_text(static_cast<double>(h.count()) / observed), duration_text(h.quantile(0.5)),
          duration_text(h.quantile(0.9)), duration_text(h.quantile(0.99)),
          duration_text(h.max_ns != 0 ? static_cast<double>(h.max_ns) / 1e9 : h.quantile(1)),
          duration_text(static_cast<double>(h.sum_ns) / 1e9 / observed));
    }
    out += '\n';
  }
  double cost = 0;
  double drops = 0;
  for (const auto& [key, value] : window.values) {
    if (key.family == "nearzero_probe_cost_seconds_total") cost += value;
    if (key.family == "nearzero_drops_total") drops += value;
  }
  double detached = 0;
  for (const auto& [key, value] : now.values) {
    if (key.family == "nearzero_probe_attached" && value == 0) detached++;
  }
  out += fmt::format(
      "cost of observing {:.2f} % of one core, drops and degraded records {}/s, probes not "
      "attached {}\n",
      cost / seconds * 100, count_text(drops / seconds), count_text(detached));
  return out + duty_text(now) + limits_text(now);
}

}  // namespace nz::cli
