#include "userspace/analyze/anomalies.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "analysis/detect/anomaly.h"
#include "userspace/analyze/figures.h"
#include "userspace/analyze/order.h"
#include "userspace/cli/table.h"

namespace nz::analyze {
namespace {

constexpr std::size_t kGap = 3;  // points below the threshold that do not end an episode
constexpr std::size_t kScoredAtOnce = std::size_t{64} << 10;

}  // namespace

Scores score_points(const CsvSeries& csv, const std::function<void(std::size_t)>& progress) {
  const Ordered ordered(csv);
  const analysis::Series& series = ordered.series();
  Scores scores;
  scores.score.assign(series.at.size(), 0);
  scores.expected.assign(series.at.size(), std::numeric_limits<double>::quiet_NaN());
  analysis::AnomalyDetector detector;
  for (std::size_t i = 0; i < series.at.size(); i++) {
    const double value = series.value[i];
    const double score = detector.score(series.at[i], value);
    const std::size_t place = ordered.in_file(i);
    scores.expected[place] = detector.expected();
    if (!std::isnan(value) && !std::isnan(score)) scores.score[place] = std::clamp(score, 0.0, 1.0);
    if (progress && i % 65536 == 0) progress(i);
  }
  return scores;
}

std::vector<Episode> episodes(const Scores& scores, double threshold) {
  std::vector<Episode> all;
  for (std::size_t i = 0; i < scores.score.size(); i++) {
    if (scores.score[i] < threshold) continue;
    if (all.empty() || i - all.back().last > kGap + 1) all.push_back({i, i, i, 0});
    Episode& e = all.back();
    e.last = i;
    e.points++;
    if (scores.score[i] > scores.score[e.worst]) e.worst = i;
  }
  return all;
}

bool write_scores(const CsvSeries& csv, const Scores& scores,
                  const std::function<bool(const std::string&)>& write) {
  std::string block;
  for (std::size_t i = 0; i < scores.score.size(); i++) {
    fmt::format_to(std::back_inserter(block),
                   R"({{"index":{},"timestamp":{},"value":{},"score":{}}})"
                   "\n",
                   i, json_time(csv.times, csv.series.at[i]), json_number(csv.series.value[i]),
                   json_number(scores.score[i]));
    if (block.size() < kScoredAtOnce) continue;
    if (!write(block)) return false;
    block.clear();
  }
  return block.empty() || write(block);
}

std::string anomaly_table(const CsvSeries& csv, const Scores& scores, double threshold,
                          std::size_t most, std::size_t width) {
  std::vector<Episode> all = episodes(scores, threshold);
  const std::size_t found = all.size();
  const auto& at = csv.series.at;
  const auto stranger = [&](const Episode& a, const Episode& b) {
    return scores.score[a.worst] > scores.score[b.worst];
  };
  if (most != 0 && all.size() > most) {
    std::stable_sort(all.begin(), all.end(), stranger);
    all.resize(most);
  }
  std::stable_sort(all.begin(), all.end(),
                   [&](const Episode& a, const Episode& b) { return at[a.first] < at[b.first]; });

  using cli::Table;
  Table table({{"WHEN"},
               {"INDEX", Table::Align::right},
               {"POINTS", Table::Align::right},
               {"VALUE", Table::Align::right},
               {"EXPECTED", Table::Align::right},
               {"SCORE", Table::Align::right}});
  for (const Episode& e : all) {
    table.add({csv.times.readable(at[e.first]), std::to_string(e.first), std::to_string(e.points),
               cell(csv.series.value[e.worst]), cell(scores.expected[e.worst]),
               fmt::format("{:.4f}", scores.score[e.worst])});
  }
  const auto [first, last] = std::minmax_element(at.begin(), at.end());
  std::string text = table.empty() ? "" : table.text(width) + "\n";
  text += fmt::format("{} {} from {} to {}: {} {} at a score of {} or more", at.size(),
                      at.size() == 1 ? "point" : "points", csv.times.readable(*first),
                      csv.times.readable(*last), found, found == 1 ? "anomaly" : "anomalies",
                      threshold);
  if (all.size() < found)
    text += fmt::format("; the {} strangest are shown (--top 0 for all)", all.size());
  return text + "\n";
}

}  // namespace nz::analyze
