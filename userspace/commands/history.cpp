// nearzero history: what is on disk, to other programs and back (userspace/store/).
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "userspace/base/clock.h"
#include "userspace/base/exit_codes.h"
#include "userspace/base/interrupt.h"
#include "userspace/cli/table.h"
#include "userspace/cli/terminal.h"
#include "userspace/commands/command.h"
#include "userspace/commands/output.h"
#include "userspace/rest/time.h"
#include "userspace/store/database.h"
#include "userspace/store/export.h"
#include "userspace/store/import.h"
#include "userspace/store/reader.h"
#include "userspace/store/store.h"

namespace nz::commands {
namespace {

using cli::Table;
using nlohmann::json;

struct HistoryOptions {
  std::string action, file, format, output, from, to, level;
  std::string db = store::Options().path;
  std::vector<std::string> series, labels;
  std::string quantiles = "0.5,0.9,0.99,0.999";
  bool check = false;
};

using OwnedFile = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

int usage(const std::string& what, const std::string& remedy) {
  return report("history", Error{what, remedy}, kUsage);
}

// ---- info

std::string size_text(std::uint64_t bytes) {
  const double kb = static_cast<double>(bytes) / 1024;
  if (kb < 1000) return fmt::format("{:.0f} KB", kb);
  return fmt::format("{:.{}f} MB", kb / 1024, kb < 10'000 ? 1 : 0);
}

struct Summary {
  store::FileSizes sizes;
  std::array<store::LevelInfo, store::kLevelCount> levels;
  std::int64_t series = 0, events = 0, states = 0, reports = 0;
  std::optional<std::vector<std::string>> problems;
};

Result<Summary> summary_of(const HistoryOptions& options) {
  auto reader = store::Reader::open(options.db);
  if (!reader) return tl::unexpected(reader.error());
  Summary s;
  s.sizes = store::sizes_of(options.db);
  const auto levels = (*reader)->levels();
  if (!levels) return tl::unexpected(levels.error());
  s.levels = *levels;
  const std::pair<const char*, std::int64_t*> tables[] = {
      {"series", &s.series}, {"events", &s.events}, {"state", &s.states}, {"reports", &s.reports}};
  for (const auto& [table, to] : tables) {
    const auto count = (*reader)->count(table);
    if (!count) return tl::unexpected(count.error());
    *to = *count;
  }
  if (options.check) {
    auto problems = (*reader)->check();
    if (!problems) return tl::unexpected(problems.error());
    s.problems = std::move(*problems);
  }
  return s;
}

json info_json(const HistoryOptions& options, const Summary& s) {
  json out = {
      {"path", options.db},     {"bytes", {{"database", s.sizes.database}, {"wal", s.sizes.wal}}},
      {"series", s.series},     {"events", s.events},
      {"states", s.states},     {"reports", s.reports},
      {"levels", json::array()}};
  for (const store::Level level : store::kLevels) {
    const store::LevelInfo& info = s.levels[store::index_of(level)];
    json row = {{"level", store::name_of(level)},
                {"intervals", info.intervals},
                {"blocks", info.blocks},
                {"points", info.points},
                {"bytes", info.bytes},
                {"from", nullptr},
                {"to", nullptr}};
    if (info.range) {
      row["from"] = static_cast<double>(info.range->from) / 1e3;
      row["to"] = static_cast<double>(info.range->to) / 1e3;
    }
    out["levels"].push_back(std::move(row));
  }
  if (s.problems) out["problems"] = *s.problems;
  return out;
}

std::string info_text(const HistoryOptions& options, const Summary& s) {
  std::string text = fmt::format("{}: {}, write-ahead log {}\n{} series, {} events, {} reports\n\n",
                                 options.db, size_text(s.sizes.database), size_text(s.sizes.wal),
                                 s.series, s.events, s.reports);
  Table table({{"LEVEL"},
               {"FROM"},
               {"TO"},
               {"INTERVALS", Table::Align::right},
               {"BLOCKS", Table::Align::right},
               {"POINTS", Table::Align::right},
               {"SIZE", Table::Align::right}});
  const auto time = [](std::int64_t ms) {
    return rest::format_time(static_cast<double>(ms) / 1e3).substr(0, 19) + "Z";
  };
  for (const store::Level level : store::kLevels) {
    const store::LevelInfo& info = s.levels[store::index_of(level)];
    table.add({std::string(store::name_of(level)), info.range ? time(info.range->from) : "-",
               info.range ? time(info.range->to) : "-", std::to_string(info.intervals),
               std::to_string(info.blocks), cli::count_text(static_cast<double>(info.points)),
               size_text(info.bytes)});
  }
  text += table.text(cli::line_limit());
  if (!s.problems) return text;
  text += s.problems->empty() ? "\nchecked: no damage\n" : "\ndamaged:\n";
  for (const std::string& problem : *s.problems) text += "  " + cli::cut(problem, 200) + "\n";
  return text;
}

int info(const HistoryOptions& options) {
  if (!options.format.empty() && options.format != "text" && options.format != "json")
    return usage("info prints no '" + options.format + "'", "-f text or -f json");
  const auto summary = summary_of(options);
  if (!summary) return report("history", summary.error(), kNotFound);
  const int printed = options.format == "json" ? print_json(info_json(options, *summary))
                                               : print(info_text(options, *summary));
  if (printed != kOk) return printed;
  return summary->problems && !summary->problems->empty() ? kFailed : kOk;
}

// ---- export and import

std::optional<store::Format> format_of(const std::string& word) {
  if (word == "csv") return store::Format::csv;
  if (word == "jsonl") return store::Format::jsonl;
  if (word == "openmetrics") return store::Format::openmetrics;
  return std::nullopt;
}

std::optional<store::Level> level_of(const std::string& word) {
  for (const store::Level level : store::kLevels) {
    if (word == store::name_of(level)) return level;
  }
  return std::nullopt;
}

// What an import reads where nobody says it: by the name of the file.
std::string import_format(const HistoryOptions& options) {
  if (!options.format.empty()) return options.format;
  if (options.file.ends_with(".csv")) return "csv";
  const bool openmetrics = options.file.ends_with(".om") || options.file.ends_with(".openmetrics");
  return openmetrics ? "openmetrics" : "jsonl";
}

Result<std::vector<double>> quantiles_of(const std::string& text) {
  std::vector<double> quantiles;
  for (const std::string& word : CLI::detail::split(text, ',')) {
    double q = -1;
    if (!CLI::detail::lexical_cast(word, q) || !(q >= 0 && q <= 1))
      return fail("'" + word + "' is no quantile", "numbers from 0 to 1 with commas: 0.5,0.99");
    quantiles.push_back(q);
  }
  return quantiles;
}

Result<store::ExportOptions> export_options(const HistoryOptions& options) {
  store::ExportOptions out;
  const auto format = format_of(options.format.empty() ? "csv" : options.format);
  if (!format)
    return fail("export writes no '" + options.format + "'", "-f csv, jsonl or openmetrics");
  out.format = *format;
  out.series = options.series;
  for (const std::string& text : options.labels) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos || at == 0)
      return fail("'" + text + "' is no pair", "write --label key=value, as in stage=risk");
    out.labels.emplace_back(text.substr(0, at), text.substr(at + 1));
  }
  const auto time = [&](const std::string& text, double& to) -> Result<void> {
    if (text.empty()) return {};
    const auto parsed = rest::parse_time(text, unix_seconds());
    if (!parsed)
      return fail("'" + text + "' is no time",
                  "2026-11-27T09:00:00Z, Unix seconds, or a time before now: -24h");
    to = *parsed;
    return {};
  };
  if (auto parsed = time(options.from, out.from); !parsed) return tl::unexpected(parsed.error());
  if (auto parsed = time(options.to, out.to); !parsed) return tl::unexpected(parsed.error());
  if (!(out.from < out.to)) return fail("--from is not before --to", "swap them");
  if (const auto level = level_of(options.level)) out.levels = {*level};
  if (options.level == "all") out.levels.assign(store::kLevels.begin(), store::kLevels.end());
  if (out.levels.size() > 1 && out.format == store::Format::openmetrics)
    return fail("OpenMetrics has one level at a time", "--level raw, minute or hour");
  auto quantiles = quantiles_of(options.quantiles);
  if (!quantiles) return tl::unexpected(quantiles.error());
  out.quantiles = std::move(*quantiles);
  return out;
}

int write_export(const HistoryOptions& options) {
  const auto wanted = export_options(options);
  if (!wanted) return report("history", wanted.error(), kUsage);
  auto reader = store::Reader::open(options.db);
  if (!reader) return report("history", reader.error(), kNotFound);
  OwnedFile own(nullptr, &std::fclose);
  std::FILE* out = stdout;
  if (!options.output.empty()) {
    if (store::belongs_to(options.output, options.db))
      return usage(options.output + " is the history that would be read", "-o with another name");
    own.reset(std::fopen(options.output.c_str(), "we"));
    if (!own)
      return report("history", fail_errno("write " + options.output, errno).value(), kFailed);
    out = own.get();
  }
  catch_interrupts();
  int error = 0;
  const auto sink = [&](std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), out) == text.size()) return true;
    error = errno;
    return false;
  };
  Result<store::Exported> exported;
  {
    cli::Progress progress("exporting, series:");
    exported =
        store::export_history(**reader, *wanted, sink, [&](std::size_t done, std::size_t all) {
          progress.at(done, all);
          return !interrupted();
        });
  }
  const std::string partial =
      options.output.empty() ? std::string() : "; " + options.output + " is not whole";
  if (std::fflush(out) != 0 && error == 0) error = errno;
  if (own && std::fclose(own.release()) != 0 && error == 0) error = errno;
  if (!exported) {
    Error failed = exported.error();
    failed.what += partial;
    return report("history", failed, kFailed);
  }
  if (error != 0) {
    const std::string name = options.output.empty() ? "standard output" : options.output;
    Error failed =
        fail_errno("write " + name, error, error == EPIPE ? "its reader has gone" : "make room")
            .value();
    failed.what += partial;
    return report("history", failed, kFailed);
  }
  if (interrupted())
    return report("history", Error{"interrupted: the export is not whole", ""}, kFailed);
  if (exported->points == 0 && exported->events == 0)
    return report("history",
                  Error{"nothing of that is in " + options.db,
                        "`nearzero history info` tells what there is; --level, --from, --series"},
                  kNotFound);
  if ((*reader)->damaged_blocks() != 0)
    return report(
        "history",
        Error{fmt::format("{} blocks are damaged and were left out", (*reader)->damaged_blocks()),
              "`nearzero history info --check`"},
        kFailed);
  if (!options.output.empty())
    fmt::print(stderr, "{}: {} points of {} series{}\n", options.output, exported->points,
               exported->series,
               exported->events == 0 ? "" : fmt::format(", {} events", exported->events));
  return kOk;
}

// What cannot be read twice is kept in a file without a name.
Result<OwnedFile> seekable(const std::string& name) {
  OwnedFile file(name == "-" ? stdin : std::fopen(name.c_str(), "re"),
                 name == "-" ? +[](std::FILE*) { return 0; } : &std::fclose);
  if (!file) return fail_errno("open " + name, errno, "give a file that an export wrote, or -");
  if (std::fseek(file.get(), 0, SEEK_CUR) == 0) return file;
  OwnedFile copy(std::tmpfile(), &std::fclose);
  if (!copy) return fail_errno("keep what is read in a temporary file", errno, "set TMPDIR");
  std::array<char, 65536> piece{};
  while (const std::size_t n = std::fread(piece.data(), 1, piece.size(), file.get())) {
    if (std::fwrite(piece.data(), 1, n, copy.get()) != n)
      return fail_errno("keep what is read in a temporary file", errno, "give a file instead");
  }
  if (std::ferror(file.get()) != 0) return fail_errno("read " + name, errno);
  return copy;
}

// Of an import: what the history does not have now, or has in another form.
std::string what_is_missing(const store::Imported& imported) {
  std::string text;
  const auto tell = [&](std::size_t count, const char* what) {
    if (count != 0) text += fmt::format("; {} {}", count, what);
  };
  tell(imported.known, "points left out, there is something at their time");
  tell(imported.left_out, "histograms left out, a CSV has only their quantiles (use jsonl)");
  tell(imported.not_a_number, "samples of counters left out, they are no number");
  tell(imported.backward, "samples left out, they are not later than the one before");
  tell(imported.exemplars, "exemplars left out");
  tell(imported.damaged, "blocks were damaged, what could not be read of them is lost");
  if (imported.by_bucket.empty()) return text;
  constexpr std::size_t kShown = 5;
  tell(imported.by_bucket.size(), "histograms came as a counter for each of their buckets:");
  for (std::size_t i = 0; i < std::min(imported.by_bucket.size(), kShown); i++)
    text += (i == 0 ? " " : ", ") + cli::cut(imported.by_bucket[i], 100);
  return text + (imported.by_bucket.size() > kShown ? ", ..." : "");
}

int read_import(const HistoryOptions& options) {
  if (options.file.empty()) return usage("no file is named", "nearzero history import FILE, or -");
  const auto format = format_of(import_format(options));
  if (!format)
    return usage("import reads no '" + options.format + "'", "-f csv, jsonl or openmetrics");
  const auto level = level_of(options.level);
  if (!options.level.empty() && (!level || *format != store::Format::openmetrics))
    return usage(options.level == "all" ? "an import of OpenMetrics has one level"
                                        : "--level is for an import of OpenMetrics alone",
                 "csv and jsonl tell the level of each line");
  auto file = seekable(options.file);
  if (!file) return report("history", file.error(), kNotFound);
  catch_interrupts();
  const std::string name = options.file == "-" ? "standard input" : options.file;
  Result<store::Imported> imported;
  {
    cli::Progress progress("importing, KB:");
    imported = store::import_history(
        options.db, file->get(), name, *format,
        [&](std::size_t done, std::size_t all) {
          progress.at(done / 1024, all / 1024);
          return !interrupted();
        },
        level);
  }
  if (!imported) return report("history", imported.error(), kFailed);
  std::string text =
      fmt::format("{}: {} points of {} series", options.db, imported->points, imported->series);
  if (*format == store::Format::openmetrics)
    text += fmt::format(", level {}", store::name_of(imported->level));
  if (imported->events != 0) text += fmt::format(", {} events", imported->events);
  return print(text + what_is_missing(*imported) + "\n");
}

int run_history(const HistoryOptions& options) {
  if (options.action != "import" && !options.file.empty())
    return usage("'" + options.file + "' is too much: " + options.action + " takes no file",
                 "-o FILE to write to a file, --db FILE for another history");
  if (options.action == "export") return write_export(options);
  return options.action == "import" ? read_import(options) : info(options);
}

}  // namespace

Command add_history(CLI::App& app) {
  auto options = std::make_shared<HistoryOptions>();
  auto* sub = app.add_subcommand("history", "What is kept on disk: look at it, export, import");
  sub->add_option("action", options->action, "info, export or import")
      ->required()
      ->check(CLI::IsMember({"info", "export", "import"}));
  sub->add_option("file", options->file,
                  "import: a file that an export, or promtool, wrote; - for a pipe");
  sub->add_option("--db", options->db, "The history's file")
      ->envname("NEARZERO_HISTORY")
      ->capture_default_str();
  sub->add_option(
         "-f,--format", options->format,
         "info: text, json; export and import: csv, jsonl (whole histograms), openmetrics; without "
         "it, an import goes by the file's name: .csv, .om, else jsonl")
      ->check(CLI::IsMember({"text", "json", "csv", "jsonl", "openmetrics"}));
  sub->add_option("-o,--output", options->output, "export: to this file");
  sub->add_option("-s,--series", options->series, "export: these families alone; * and ? may stand")
      ->allow_extra_args(false);
  sub->add_option("-l,--label", options->labels, "export: series with this label, key=value")
      ->allow_extra_args(false);
  sub->add_option("--from", options->from, "export: from then on: RFC 3339, Unix seconds, -24h");
  sub->add_option("--to", options->to, "export: until then");
  sub->add_option("--level", options->level,
                  "export: raw (10 s), minute (which it is without), hour, or all; import "
                  "openmetrics: into this one, by joining samples that are closer; without it, by "
                  "how far they are apart")
      ->check(CLI::IsMember({"raw", "minute", "hour", "all"}));
  sub->add_option("-q,--quantiles", options->quantiles, "export csv: of histograms, with commas")
      ->capture_default_str();
  sub->add_flag("--check", options->check, "info: read all of it and look for damage");
  sub->footer(examples(
      {{"nearzero history info", "how much, from when"},
       {"nearzero history info --check -f json", ""},
       {"nearzero history export --from -24h > day.csv", "all series, each minute"},
       {"nearzero history export -s 'nearzero_disk*' -q 0.5,0.999", "some, other quantiles"},
       {"nearzero history export -f jsonl --level all -o copy.jsonl", "without loss"},
       {"nearzero history import copy.jsonl --db other.db", "into another file"},
       {"nearzero history export -f openmetrics -o history.om", "for promtool"},
       {"nearzero history import history.om --db other.db", "OpenMetrics, promtool's too"}},
      "Works beside a running agent. An import leaves out what would lie over something that is "
      "there."));
  return {sub, [options] { return run_history(*options); }};
}

}  // namespace nz::commands
