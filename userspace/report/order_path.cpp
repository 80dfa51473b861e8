#include <algorithm>
#include <cmath>

#include "analysis/text.h"
#include "userspace/report/sections.h"

namespace nz::report {
namespace {

constexpr std::size_t kMostStageRows = 24;
constexpr const char* kStageDuration = "nearzero_order_stage_duration_seconds";

Cell figure(double value, const char* unit) { return {{figure_or_dash(value, unit)}, Tone::none}; }

Cell change(double now, double before, Worse worse) {
  return {{change_text(now, before)}, change_tone(now, before, worse)};
}

Table stage_table(const Facts& facts, const Target& target) {
  Table table;
  table.columns = {{"stage"},     {"orders/s", true}, {"mean", true},  {"p50", true},
                   {"p90", true}, {"p99", true},      {"p99.9", true}, {"slowest", true}};
  if (facts.compared) {
    for (const char* title : {"orders/s", "p50", "p99"})
      table.columns.push_back({std::string(title) + " was", true});
    table.columns.push_back({"p99 change", true});
  }
  for (const Stage& stage : target.stages) {
    if (table.rows.size() == kMostStageRows) {
      table.note = counted(static_cast<double>(target.stages.size() - kMostStageRows),
                           "shorter stage is", "shorter stages are") +
                   " left out.";
      break;
    }
    Text name;
    name.code(shortened(stage.name, 100));
    if (stage.whole) name.plain(" (the whole path)");
    const analysis::Histogram& h = stage.now;
    const bool any = h.count() > 0;
    std::vector<Cell> row{{std::move(name), Tone::none},
                          {{analysis::number_text(stage.rate)}, Tone::none},
                          figure(h.mean_seconds(), "seconds")};
    for (const double q : {0.5, 0.9, 0.99, 0.999}) row.push_back(figure(h.quantile(q), "seconds"));
    row.push_back(
        figure(any && h.max_ns > 0 ? static_cast<double>(h.max_ns) / 1e9 : NAN, "seconds"));
    if (facts.compared) {
      row.push_back({{analysis::number_text(stage.rate_before)}, Tone::none});
      row.push_back(figure(stage.before.quantile(0.5), "seconds"));
      row.push_back(figure(stage.before.quantile(0.99), "seconds"));
      row.push_back(change(h.quantile(0.99), stage.before.quantile(0.99), Worse::more));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

// Half octaves: 41 % wide, as wide as a bar can be told from its neighbour in the picture.
// What is beyond the last boundary (256 s) goes up to `longest` seconds.
std::vector<Band> bands(const analysis::Histogram& h, double longest) {
  std::vector<Band> result;
  const auto count = static_cast<double>(h.count());
  if (count == 0) return result;
  constexpr std::size_t kEach = 4;
  for (std::size_t i = 0; i < NZ_BUCKETS; i += kEach) {
    double n = i == 0 ? static_cast<double>(h.zero) : 0;
    for (std::size_t b = i; b < std::min<std::size_t>(i + kEach, NZ_BUCKETS); b++)
      n += static_cast<double>(h.buckets[b]);
    const double low = i == 0 ? 0 : analysis::upper_bound_seconds(i - 1);
    const double high =
        analysis::upper_bound_seconds(std::min<std::size_t>(i + kEach, NZ_BUCKETS) - 1);
    if (n > 0 || (!result.empty())) result.push_back({low, high, n / count});
  }
  if (h.overflow > 0) {
    const double last = analysis::upper_bound_seconds(NZ_BUCKETS - 1);
    result.push_back({last, longest, static_cast<double>(h.overflow) / count});
  }
  while (!result.empty() && result.back().share == 0) result.pop_back();
  return result;
}

}  // namespace

std::optional<Section> order_path_section(const Facts& facts) {
  Section section{"order-path", "The order path", {}};
  for (const Target& target : facts.targets) {
    if (target.stages.empty()) continue;
    Table table = stage_table(facts, target);
    table.title = target.name;
    section.blocks.emplace_back(std::move(table));
    if (facts.now.observed("stages", target.name) < 0.95 * facts.now.seconds()) {
      section.blocks.emplace_back(Paragraph{
          {"Stages were observed during " +
           analysis::percent_text(facts.now.observed("stages", target.name) / facts.now.seconds()) +
           " of the time (duty cycle); rates are per observed second."},
          Tone::quiet});
    }
    const Stage* main = target.main();
    if (main == nullptr) continue;
    const analysis::Labels labels{{"target", target.name}, {"stage", main->name}};
    const std::vector<Mark> marks = marks_of(facts, target.name);
    Charts charts;
    if (auto chart = chart_of(facts, target.name + ": time of an order",
                              {{"median", facts.trend(kStageDuration, "p50", labels)},
                               {"p99", facts.trend(kStageDuration, "p99", labels)}},
                              marks))
      charts.charts.push_back(std::move(*chart));
    if (auto chart = chart_of(facts, target.name + ": orders",
                              {{"orders", facts.trend(kStageDuration, "rate", labels)}}, marks))
      charts.charts.push_back(std::move(*chart));
    if (!charts.charts.empty()) section.blocks.emplace_back(std::move(charts));
    const double longest = std::max({2 * analysis::upper_bound_seconds(NZ_BUCKETS - 1),
                                     static_cast<double>(main->now.max_ns) / 1e9,
                                     static_cast<double>(main->before.max_ns) / 1e9});
    Distribution d{target.name + ": how long orders took", bands(main->now, longest),
                   bands(main->before, longest)};
    if (d.now.size() > 1) section.blocks.emplace_back(std::move(d));
  }
  if (section.blocks.empty()) return std::nullopt;
  return section;
}

}  // namespace nz::report
