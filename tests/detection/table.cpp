// The tables of docs/detection.md: scripts/bench detection.
#include <unistd.h>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "analysis/detect/anomaly.h"
#include "analysis/detect/change_points.h"
#include "analysis/detect/step_detector.h"
#include "tests/detection/generator.h"
#include "tests/detection/peers.h"
#include "tests/detection/quality.h"
#include "tests/detection/watch_cost.h"

namespace nz::test {
namespace {

struct Options {
  std::size_t series = 200;
  std::uint64_t seed = 1;
  std::string only;    // "offline", "online", "anomalies", "cost", "watch"; empty: all
  std::string folder;  // of labelled files
};

void progress(const char* what, std::size_t done, std::size_t all) {
  if (isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "\r%s: %zu of %zu   ", what, done, all);
  if (done == all && isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "\n");
}

std::string cell(double value, int digits) {
  if (std::isnan(value)) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string percent(double share) { return std::isnan(share) ? "-" : cell(100 * share, 0) + " %"; }

std::string time_of(double seconds) {
  if (std::isnan(seconds)) return "-";
  if (seconds < 600) return cell(seconds, 0) + " s";
  return seconds < 36'000 ? cell(seconds / 60, 0) + " min" : cell(seconds / 3600, 1) + " h";
}

// A row: which quantity, step size and noise.
struct Row {
  bool p99;
  int percent;  // 0: no step
  std::string noise;
  auto operator<=>(const Row&) const = default;
};

Row row_of(const SeriesSpec& s) {
  const double size = s.step >= 0 ? s.step : 1 / (1 + s.step) - 1;
  const char* noise = s.cv < 0.25 ? "0.1-0.2" : s.cv < 0.35 ? "0.3" : "0.4-0.5";
  return {s.p99, static_cast<int>(std::lround(100 * size)), noise};
}

std::string name_of(const Row& row) {
  return std::string(row.p99 ? "p99" : "median") + " | " +
         (row.percent > 0 ? std::to_string(row.percent) + " %" : "none") + " | " + row.noise;
}

struct Measured {
  std::map<Row, std::vector<Tally>> rows;  // a tally a method
  std::vector<Tally> total;
};

Measured measure(const char* what, const std::vector<SeriesSpec>& specs,
                 const std::vector<Method>& methods, std::size_t tolerance) {
  Measured m;
  m.total.resize(methods.size());
  for (std::size_t i = 0; i < specs.size(); i++) {
    progress(what, i, specs.size());
    const LabelledSeries series = make_series(specs[i]);
    std::vector<Tally>& row = m.rows[row_of(specs[i])];
    row.resize(methods.size());
    for (std::size_t k = 0; k < methods.size(); k++) {
      const Tally t = count(series, methods[k](series), tolerance);
      row[k].add(t);
      m.total[k].add(t);
    }
  }
  progress(what, specs.size(), specs.size());
  return m;
}

// The largest p with which a method has under one false alarm a series-month on series without a
// step.
template <class Of>
double p_of_equal_false_alarms(const std::vector<SeriesSpec>& specs, std::size_t series, Of told) {
  std::vector<LabelledSeries> still;
  for (const SeriesSpec& s : specs) {
    if (s.step_at == 0 && still.size() < series) still.push_back(make_series(s));
  }
  for (double p = 1e-3; p > 1e-60; p /= p > 1e-12 ? 10 : 1000) {
    progress("choosing p", static_cast<std::size_t>(-std::log10(p)), 60);
    Tally t;
    for (const LabelledSeries& s : still) t.add(count(s, told(s, p), 0));
    if (t.false_per_month() < 1) return p;
  }
  return 1e-60;
}

void print_offline(const Options& options) {
  constexpr std::size_t kTolerance = 720;  // half a day of minutes
  const std::vector<SeriesSpec> specs = step_specs(options.series, 40'320, 60, options.seed);
  const double p = p_of_equal_false_alarms(specs, 24, told_by_e_divisive);
  const Measured m =
      measure("offline", specs,
              {told_offline, [](const LabelledSeries& s) { return told_by_e_divisive(s, 0.001); },
               [p](const LabelledSeries& s) { return told_by_e_divisive(s, p); },
               [](const LabelledSeries& s) { return told_by_hourly_e_divisive(s, 0.001); }},
              kTolerance);
  std::printf("### Change points offline\n\n");
  std::printf(
      "%zu series of 28 days of minutes; a hit is within half a day, all else a false alarm. E: "
      "E-divisive at p < 0.001 (Otava's default). E*: at p < %.0e, the largest with under one "
      "false alarm a month. Eh: at p < 0.001 on hourly medians.\n\n",
      specs.size(), p);
  std::printf(
      "| series | step | CV | steps | recall | precision | F1 | false/month | place "
      "| E recall | E false/month | E F1 | E* recall | E* false/month | E* F1 "
      "| Eh recall | Eh false/month | Eh F1 |\n");
  std::printf(
      "|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
      "\n");
  const auto print = [](const std::string& name, const std::vector<Tally>& t) {
    std::printf("| %s | %zu | %s | %s | %s | %s | %s", name.c_str(), t[0].steps,
                percent(t[0].recall()).c_str(), percent(t[0].precision()).c_str(),
                cell(t[0].f1(), 2).c_str(), cell(t[0].false_per_month(), 2).c_str(),
                time_of(median_of(t[0].errors)).c_str());
    for (std::size_t k = 1; k < t.size(); k++) {
      std::printf(" | %s | %s | %s", percent(t[k].recall()).c_str(),
                  cell(t[k].false_per_month(), 1).c_str(), cell(t[k].f1(), 2).c_str());
    }
    std::printf(" |\n");
  };
  for (const auto& [row, tallies] : m.rows) print(name_of(row), tallies);
  print("all | | ", m.total);
  std::printf("\n");
}

void print_online(const Options& options) {
  constexpr std::size_t kTolerance = 720;  // two hours of 10 s
  const std::vector<SeriesSpec> specs = step_specs(options.series, 120'960, 10, options.seed + 1);
  const auto e_divisive_from = [](std::size_t back) {
    return [back](const LabelledSeries& s) {
      const std::size_t from = s.spec.step_at - std::min(s.spec.step_at, back);
      std::vector<Told> told = told_by_e_divisive_online(s, 0.001, 6, from);
      for (Told& one : told) {
        one.index += back;
        one.when += back;
      }
      return told;
    };
  };
  constexpr std::size_t kEvery = 60;
  const auto always = [](const LabelledSeries& s, double p) {
    return told_by_e_divisive_always(s, p, kEvery);
  };
  const double p = p_of_equal_false_alarms(specs, 12, always);
  const Measured m = measure("online", specs,
                             {told_online, e_divisive_from(0), e_divisive_from(8'640 + 360),
                              [&](const LabelledSeries& s) { return always(s, p); }},
                             kTolerance);
  std::printf("### Steps online\n\n");
  std::printf(
      "%zu series of 14 days of 10 s points; delay: median from the step until it is told; a hit "
      "is told at any time after it, with a place within two hours. E: E-divisive at p < 0.001, "
      "run each minute on the last 200 points for a day, with a change point within 5 minutes of "
      "the step. Chance: how often it finds one in the same way around a moment 25 hours earlier, "
      "where there is no step. E*: run each 10 minutes on the last 200 points all the time, at p < "
      "%.0e, the largest with under one false alarm a month; a hit is what it is for us.\n\n",
      specs.size(), p);
  std::printf(
      "| series | step | CV | steps | recall | false/month | delay | place | E recall | E chance | "
      "E delay | E* recall | E* false/month |\n");
  std::printf("|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
  const auto print = [](const std::string& name, const std::vector<Tally>& t) {
    std::printf("| %s | %zu | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", name.c_str(),
                t[0].steps, percent(t[0].recall()).c_str(), cell(t[0].false_per_month(), 2).c_str(),
                time_of(median_of(t[0].delays)).c_str(), time_of(median_of(t[0].errors)).c_str(),
                percent(t[1].recall()).c_str(), percent(t[2].recall()).c_str(),
                time_of(median_of(t[1].delays)).c_str(), percent(t[3].recall()).c_str(),
                cell(t[3].false_per_month(), 1).c_str());
  };
  for (const auto& [row, tallies] : m.rows) print(name_of(row), tallies);
  print("all | | ", m.total);
  std::printf("\n");
}

struct Areas {
  std::vector<double> roc, pr, volume;
};

double mean_of(const std::vector<double>& values) {
  double sum = 0, n = 0;
  for (const double v : values) {
    if (std::isnan(v)) continue;
    sum += v;
    n++;
  }
  return n > 0 ? sum / n : std::numeric_limits<double>::quiet_NaN();
}

void add_areas(const AnomalySeries& s, std::vector<Areas>& areas) {
  areas.resize(4);
  std::vector<std::vector<double>> score(4);
  analysis::AnomalyDetector ours;
  EwmaZ ewma;
  SlidingMad mad;
  WindowedGaussian gaussian;
  for (std::size_t i = 0; i < s.value.size(); i++) {
    score[0].push_back(ours.score(s.at[i], s.value[i]));
    score[1].push_back(ewma.score(s.value[i]));
    score[2].push_back(mad.score(s.value[i]));
    score[3].push_back(gaussian.score(s.value[i]));
  }
  for (std::size_t k = 0; k < 4; k++) {
    areas[k].roc.push_back(area_under_roc(score[k], s.label));
    areas[k].pr.push_back(average_precision(score[k], s.label));
    areas[k].volume.push_back(volume_under_pr(score[k], s.label, 100));
  }
}

void print_areas(const std::string& name, const std::vector<Areas>& areas) {
  std::printf("| %s | %zu", name.c_str(), areas[0].roc.size());
  for (const Areas& a : areas) std::printf(" | %s", cell(mean_of(a.roc), 3).c_str());
  for (const Areas& a : areas) std::printf(" | %s", cell(mean_of(a.pr), 3).c_str());
  for (const Areas& a : areas) std::printf(" | %s", cell(mean_of(a.volume), 3).c_str());
  std::printf(" |\n");
}

void print_area_head(const char* what) {
  std::printf(
      "| %s | series | ROC | EWMA | MAD | Gauss | PR | EWMA | MAD | Gauss | VUS-PR | EWMA | MAD | "
      "Gauss |\n",
      what);
  std::printf("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
}

void print_anomalies(const Options& options) {
  std::printf("### Anomaly scores\n\n");
  std::printf(
      "Areas under the ROC and the precision-recall curve and volume under the latter (labels "
      "widened "
      "by 0 to 100 points), a score a point, means over series of 5,000 points.\n\n");
  print_area_head("anomaly");
  std::vector<Areas> all;
  for (const std::string& kind : anomaly_kinds()) {
    std::vector<Areas> areas;
    for (std::size_t k = 0; k < std::max<std::size_t>(2, options.series / 8); k++) {
      const AnomalySeries s = make_anomaly_series(kind, 5'000, options.seed + k);
      add_areas(s, areas);
      add_areas(s, all);
    }
    print_areas(kind, areas);
  }
  print_areas("all", all);
  std::size_t alarms = 0;
  double points = 0;
  for (const SeriesSpec& made : step_specs(options.series, 60'480, 10, options.seed + 2)) {
    if (made.step_at > 0) continue;
    SeriesSpec spec = made;
    spec.outliers = 0;
    const LabelledSeries s = make_series(spec);
    analysis::AnomalyDetector detector;
    for (std::size_t i = 0; i < s.value.size(); i++) {
      alarms += detector.score(s.at[i], s.value[i]) >= 0.99 ? 1 : 0;
    }
    points += static_cast<double>(s.value.size());
  }
  std::printf(
      "\nScores of 0.99 and more in series without anomalies: %.2f a series-month of 10 s "
      "points.\n\n",
      static_cast<double>(alarms) / points * 259'200);
}

// Files as TSB-UAD has them, a line a point: value,label or time,value,label. A first line of words
// is skipped.
void print_folder(const Options& options) {
  print_area_head("file");
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(options.folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Areas> all;
  for (const auto& file : files) {
    AnomalySeries s;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      const std::size_t comma = line.rfind(',');
      if (comma == std::string::npos) continue;
      char* end = nullptr;
      const double first = std::strtod(line.c_str(), &end);
      if (end == line.c_str()) continue;
      const std::size_t before = line.find(',');
      const bool timed = before < comma;
      s.at.push_back(timed ? first : static_cast<double>(s.at.size()));
      s.value.push_back(timed ? std::strtod(line.c_str() + before + 1, nullptr) : first);
      s.label.push_back(std::strtod(line.c_str() + comma + 1, nullptr) > 0.5 ? 1 : 0);
    }
    if (std::count(s.label.begin(), s.label.end(), 1) == 0) continue;
    std::vector<Areas> areas;
    add_areas(s, areas);
    add_areas(s, all);
    print_areas(file.stem().string(), areas);
  }
  if (!all.empty()) print_areas("all", all);
}

// 5,000 series each 10 s.
double percent_of_a_core(double ns) { return ns * 500 / 1e9 * 100; }

// Of this process on a CPU: other work of the machine does not count.
double nanoseconds(std::size_t count, std::clock_t from) {
  const double seconds = static_cast<double>(std::clock() - from) / CLOCKS_PER_SEC;
  return seconds * 1e9 / static_cast<double>(count);
}

void print_cost(const Options& options) {
  SeriesSpec spec = step_specs(1, 60'480, 10, options.seed)[0];
  const LabelledSeries s = make_series(spec);
  double sum = 0;
  std::clock_t from = std::clock();
  analysis::StepDetector steps;
  for (std::size_t i = 0; i < s.value.size(); i++) sum += steps.add(s.at[i], s.value[i]) ? 1 : 0;
  const double step = nanoseconds(s.value.size(), from);
  from = std::clock();
  analysis::AnomalyDetector anomalies;
  for (std::size_t i = 0; i < s.value.size(); i++) sum += anomalies.score(s.at[i], s.value[i]);
  const double anomaly = nanoseconds(s.value.size(), from);
  std::printf(
      "### Cost\n\n| | ns a point | bytes a series | share of a core, 5,000 series each 10 s |\n");
  std::printf("|---|---:|---:|---:|\n");
  const auto print = [](const char* name, double ns, std::size_t bytes) {
    std::printf("| %s | %.0f | %zu | %.3f %% |\n", name, ns, bytes, percent_of_a_core(ns));
  };
  print("StepDetector", step, sizeof(analysis::StepDetector));
  print("AnomalyDetector", anomaly, sizeof(analysis::AnomalyDetector));
  print("both", step + anomaly, sizeof(analysis::StepDetector) + sizeof(analysis::AnomalyDetector));
  std::printf("\n| change_points() | CPU seconds |\n|---|---:|\n");
  for (const std::size_t points :
       {std::size_t{43'200}, std::size_t{1'000'000}, std::size_t{10'000'000}}) {
    spec.points = points;
    spec.step_at = points / 3;
    spec.step = 0.1;
    const LabelledSeries long_one = make_series(spec);
    from = std::clock();
    sum += static_cast<double>(analysis::change_points(long_one.value).size());
    std::printf("| %zu points | %.2f |\n", points, nanoseconds(1, from) / 1e9);
  }
  std::printf("\n");
  if (sum < 0) std::printf("%f\n", sum);
}

void print_watch() {
  const WatchCostOptions options;
  const WatchCost c = measure_watch(options);
  std::printf("### Cost of the agent's watch\n\n");
  std::printf(
      "%zu quantities of %zu services, %zu histograms among their series; %zu looks at windows of "
      "10 s after %zu that are not measured. One service was slower for 10 minutes: %zu "
      "regressions and %zu incidents opened.\n\n",
      c.quantities, options.targets, c.histograms, options.measured, options.warm, c.regressions,
      c.incidents);
  std::printf(
      "| | ns a quantity and look | bytes a quantity | share of a core, 5,000 quantities each 10 s "
      "| slowest look |\n|---|---:|---:|---:|---:|\n");
  std::printf("| Watch::look() | %.0f | %s | %.3f %% | %.1f ms |\n\n", c.nanoseconds,
              c.bytes > 0 ? cell(c.bytes, 0).c_str() : "-", percent_of_a_core(c.nanoseconds),
              1e3 * c.slowest_look);
}

int run(const Options& options) {
  if (!options.folder.empty()) {
    print_folder(options);
    return 0;
  }
  const auto wanted = [&](const char* part) {
    return options.only.empty() || options.only == part;
  };
  if (wanted("offline")) print_offline(options);
  if (wanted("online")) print_online(options);
  if (wanted("anomalies")) print_anomalies(options);
  if (wanted("cost")) print_cost(options);
  if (wanted("watch")) print_watch();
  return 0;
}

constexpr const char* kUsage =
    "usage: scripts/bench detection [--series N] [--seed N] [--only "
    "offline|online|anomalies|cost|watch]\n"
    "       scripts/bench detection --files FOLDER    anomaly scores of files of value,label "
    "lines\n";

}  // namespace
}  // namespace nz::test

int main(int argc, char** argv) {
  nz::test::Options options;
  for (int i = 1; i < argc; i++) {
    const std::string key = argv[i];
    if (key == "--help" || key == "-h") {
      std::fputs(nz::test::kUsage, stdout);
      return 0;
    }
    if (i + 1 >= argc) {
      std::fputs(nz::test::kUsage, stderr);
      return 2;
    }
    const std::string value = argv[++i];
    if (key == "--series") {
      options.series = std::strtoull(value.c_str(), nullptr, 10);
    } else if (key == "--seed") {
      options.seed = std::strtoull(value.c_str(), nullptr, 10);
    } else if (key == "--only") {
      options.only = value;
    } else if (key == "--files") {
      options.folder = value;
    } else {
      std::fputs(nz::test::kUsage, stderr);
      return 2;
    }
  }
  if (options.series == 0) {
    std::fputs("--series takes a number from 1 on\n", stderr);
    return 2;
  }
  return nz::test::run(options);
}
