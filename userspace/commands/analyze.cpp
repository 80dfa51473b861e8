// nearzero analyze: anomalies, changes and the trend of a series from anywhere.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>

#include "userspace/analyze/anomalies.h"
#include "userspace/analyze/changes.h"
#include "userspace/analyze/csv.h"
#include "userspace/analyze/picture.h"
#include "userspace/analyze/plot_file.h"
#include "userspace/analyze/trend_output.h"
#include "userspace/base/exit_codes.h"
#include "userspace/cli/terminal.h"
#include "userspace/commands/command.h"
#include "userspace/commands/output.h"
#include "userspace/rest/time.h"

namespace nz::commands {
namespace {

using analyze::CsvSeries;

struct AnalyzeOptions {
  std::string what, file, format = "text";
  std::string delimiter, bound = "either", season, plot;
  analyze::CsvOptions csv;
  double threshold = 0.99;
  std::size_t top = 20;
  std::optional<double> limit;
};

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using CsvFile = std::unique_ptr<std::FILE, Close>;

Result<void> understand(const std::string& delimiter, analyze::CsvOptions& csv) {
  if (delimiter.empty()) return {};
  if (delimiter == "tab" || delimiter == "\\t") {
    csv.delimiter = '\t';
  } else if (delimiter.size() == 1 && delimiter != "\"" && delimiter != "\n") {
    csv.delimiter = delimiter[0];
  } else {
    return fail("'" + delimiter + "' is no delimiter", "one character, or the word tab");
  }
  return {};
}

Result<CsvSeries> read(const AnalyzeOptions& options) {
  const bool from_stdin = options.file == "-";
  const CsvFile opened(from_stdin ? nullptr : std::fopen(options.file.c_str(), "re"));
  if (!from_stdin && !opened)
    return fail_errno("open " + options.file, errno, "- reads from standard input");
  if (from_stdin && isatty(STDIN_FILENO) != 0)
    fmt::print(stderr, "Reading from the terminal; Ctrl-D ends.\n");
  std::FILE* file = from_stdin ? stdin : opened.get();
  struct stat status {};
  const bool sized = fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode);
  const auto megabytes = [](std::size_t bytes) { return bytes >> 20; };
  cli::Progress progress("reading, MB:");
  return analyze::read_csv(
      file, from_stdin ? "standard input" : options.file, options.csv, [&](std::size_t bytes) {
        if (!sized) return;
        progress.at(megabytes(bytes), megabytes(static_cast<std::size_t>(status.st_size)));
      });
}

int save_plot(const AnalyzeOptions& options, const analyze::Plot& plot) {
  if (options.plot.empty()) return kOk;
  const std::string text = analyze::draw(plot);
  CsvFile file(std::fopen(options.plot.c_str(), "we"));
  if (!file) return report("analyze", fail_errno("write " + options.plot, errno).value(), kFailed);
  const bool written = std::fwrite(text.data(), 1, text.size(), file.get()) == text.size();
  if (std::fclose(file.release()) != 0 || !written)
    return report("analyze", fail_errno("write " + options.plot, errno).value(), kFailed);
  return kOk;
}

int print_then_plot(int printed, const AnalyzeOptions& options, const analyze::Plot& plot) {
  const int saved = save_plot(options, plot);
  return printed != kOk ? printed : saved;
}

int anomalies(const AnalyzeOptions& options, const CsvSeries& csv) {
  analyze::Scores scores;
  {
    cli::Progress progress("scoring points:");
    scores = analyze::score_points(
        csv, [&](std::size_t done) { progress.at(done, csv.series.at.size()); });
  }
  int printed = kOk;
  if (options.format == "json") {
    if (!analyze::write_scores(csv, scores, cli::write_out)) printed = kFailed;
  } else {
    printed = print(
        analyze::anomaly_table(csv, scores, options.threshold, options.top, cli::line_limit()));
  }
  if (options.plot.empty()) return printed;
  return print_then_plot(printed, options,
                         analyze::picture_of(csv, analyze::episodes(scores, options.threshold)));
}

int changes(const AnalyzeOptions& options, const CsvSeries& csv) {
  const auto found = analyze::find_changes(csv);
  const int printed =
      print(options.format == "json" ? analyze::changes_json(csv, found)
                                     : analyze::change_table(csv, found, cli::line_limit()));
  if (options.plot.empty()) return printed;
  return print_then_plot(printed, options, analyze::picture_of(csv, found));
}

int trend(const AnalyzeOptions& options, const CsvSeries& csv) {
  analyze::TrendQuestion question;
  question.limit = options.limit;
  question.bound = options.bound == "above"   ? analysis::Bound::upper
                   : options.bound == "below" ? analysis::Bound::lower
                                              : analysis::Bound::either;
  if (options.season == "none") {
    question.season = 0;
  } else if (!options.season.empty()) {
    question.season = rest::parse_seconds(options.season);
    if (!question.season)
      return report("analyze",
                    Error{"'" + options.season + "' is no length of a season",
                          "24h, 7d, 900 (seconds, or units of the time column) or none"},
                    kUsage);
  }
  const auto answer = analyze::find_trend(csv, question);
  const int printed = print(options.format == "json" ? analyze::trend_json(csv, answer)
                                                     : analyze::trend_text(csv, answer));
  if (options.plot.empty()) return printed;
  return print_then_plot(printed, options, analyze::picture_of(csv, answer));
}

int run_analyze(AnalyzeOptions options) {
  if (auto understood = understand(options.delimiter, options.csv); !understood)
    return report("analyze", understood.error(), kUsage);
  if (!options.plot.empty() && analyze::overwrites(options.plot, options.file))
    return report("analyze",
                  Error{"--plot " + options.plot + " would overwrite the file that is read",
                        "name another file, as " + options.plot + ".svg"},
                  kUsage);
  const auto csv = read(options);
  if (!csv) return report("analyze", csv.error(), csv.error().code == ENOENT ? kNotFound : kFailed);
  for (const std::string& warning : csv->warnings())
    fmt::print(stderr, "nearzero analyze: {}: {}\n", csv->name, warning);
  if (options.what == "anomalies") return anomalies(options, *csv);
  return options.what == "changes" ? changes(options, *csv) : trend(options, *csv);
}

}  // namespace

Command add_analyze(CLI::App& app) {
  auto options = std::make_shared<AnalyzeOptions>();
  auto* sub = app.add_subcommand(
      "analyze",
      "Anomalies, changes and the trend of any series in a file, as the agent sees them");
  sub->add_option("what", options->what, "anomalies, changes or trend")
      ->check(CLI::IsMember({"anomalies", "changes", "trend"}))
      ->required();
  sub->add_option("file", options->file,
                  "CSV of timestamp,value, with or without a header; - reads "
                  "from standard input")
      ->required();
  sub->add_option("--time-column", options->csv.time_column,
                  "Name or number of the column of times; none: rows are numbered");
  sub->add_option("--value-column", options->csv.value_column,
                  "Name or number of the column of values");
  sub->add_option("--delimiter", options->delimiter,
                  "One character, or tab; left out: what the first line has of , ; tab |");
  sub->add_flag("--skip-bad-rows", options->csv.skip_bad_rows,
                "Leave out and count rows that cannot be read, rather than stop");
  sub->add_option("--threshold", options->threshold, "Anomalies: least score in table and plot")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  sub->add_option("--top", options->top, "Anomalies: rows of the table at most; 0: all")
      ->capture_default_str();
  sub->add_option("--limit", options->limit, "Trend: when is this value reached?");
  sub->add_option("--bound", options->bound, "Trend: reached above, below, or from either side")
      ->check(CLI::IsMember({"above", "below", "either"}))
      ->capture_default_str();
  sub->add_option("--season", options->season,
                  "Trend: length of the season, as 24h or 7d, or none; left out: looked for");
  sub->add_option("--plot", options->plot, "Draw it into this SVG file");
  add_format(*sub, options->format);
  sub->footer(examples(
      {{"nearzero analyze anomalies latency.csv", "the strangest points"},
       {"nearzero analyze anomalies latency.csv -f json", "a score for every point"},
       {"nearzero analyze changes latency.csv --plot changes.svg", "since when it is slower"},
       {"nearzero analyze trend disk.csv --limit 90 --bound above", "when it is full"},
       {"cat latency.csv | nearzero analyze changes - -f json", ""},
       {"nearzero analyze trend disk.csv --value-column used_percent", "of several columns"}},
      "Times are ISO 8601, Unix seconds (ms, us, ns by their size), or any numbers. In noise a\n"
      "score of 0.99 comes about once in 259,200 points, a month of points each 10 s."));
  return {sub, [options] { return run_analyze(*options); }};
}

}  // namespace nz::commands
