// nearzero baseline: a time of the history kept under a name, and now against it
// (userspace/baselines/).
#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "analysis/robust.h"
#include "analysis/text.h"
#include "userspace/base/clock.h"
#include "userspace/base/exit_codes.h"
#include "userspace/base/interrupt.h"
#include "userspace/baselines/named.h"
#include "userspace/cli/table.h"
#include "userspace/cli/terminal.h"
#include "userspace/commands/command.h"
#include "userspace/commands/output.h"
#include "userspace/metrics/unit.h"
#include "userspace/rest/time.h"

namespace nz::commands {
namespace {

using analysis::Comparison;
using analysis::NamedBaseline;
using analysis::NamedSeries;
using baselines::Head;
using cli::Table;
using nlohmann::json;

constexpr double kDefaultSeconds = 3600;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct BaselineOptions {
  std::string action, name, from, to, format = "text";
  std::string db = store::Options().path;
  std::vector<std::string> series;
  std::size_t top = 40;
  bool replace = false, compare = false;
};

int failed(const Error& error) {
  const int otherwise = error.code == ENOENT ? kNotFound : error.code == EINVAL ? kUsage : kFailed;
  return report("baseline", error, otherwise);
}

std::string time_text(double at) { return rest::format_time(at).substr(0, 19) + "Z"; }

// ---- the range

struct Range {
  double from = 0, to = 0;
};

Result<Range> range_of(const BaselineOptions& options) {
  const double now = unix_seconds();
  Range range{0, now};
  const auto parse = [&](const std::string& text, double& to) -> Result<void> {
    if (text.empty()) return {};
    const auto parsed = rest::parse_time(text, now);
    if (!parsed)
      return fail("'" + text + "' is no time",
                  "2026-11-27T09:00:00Z, Unix seconds, or a time before now: -24h", EINVAL);
    to = *parsed;
    return {};
  };
  if (auto parsed = parse(options.to, range.to); !parsed) return tl::unexpected(parsed.error());
  range.from = range.to - kDefaultSeconds;
  if (auto parsed = parse(options.from, range.from); !parsed) return tl::unexpected(parsed.error());
  if (!(range.from < range.to)) return fail("--from is not before --to", "swap them", EINVAL);
  if (range.to - range.from < baselines::kLeastSeconds)
    return fail(fmt::format("{:.0f} s are too short to tell what is usual", range.to - range.from),
                fmt::format("take at least {:.0f} s", baselines::kLeastSeconds), EINVAL);
  return range;
}

// At least three slices: fewer are no sample.
Result<std::vector<analysis::Window>> read_range(store::Reader& reader, const Range& range) {
  catch_interrupts();
  cli::Progress progress("reading history, slices:");
  auto slices =
      baselines::slices_of(reader, range.from, range.to, [&](std::size_t n, std::size_t all) {
        progress.at(n, all);
        return !interrupted();
      });
  if (!slices) return slices;
  constexpr std::size_t kLeastSlices = 3;
  if (slices->size() >= kLeastSlices) return slices;
  return fail(
      fmt::format("{} was recorded from {} to {}", slices->empty() ? "nothing" : "too little",
                  time_text(range.from), time_text(range.to)),
      "`nearzero history info` tells from when to when there is something; --from, --to", ENOENT);
}

// ---- set

int set(const BaselineOptions& options) {
  if (auto checked = baselines::check_name(options.name); !checked) return failed(checked.error());
  const auto range = range_of(options);
  if (!range) return failed(range.error());
  auto reader = store::Reader::open(options.db);
  if (!reader) return failed(reader.error());
  if (!options.replace) {
    // Before a long range is read; whoever is second by a moment is told at the end.
    const auto known = baselines::heads(**reader);
    if (!known) return failed(known.error());
    const auto is_it = [&](const Head& head) { return head.name == options.name; };
    if (std::any_of(known->begin(), known->end(), is_it))
      return failed(Error{"there is a baseline '" + options.name + "' already",
                          "--replace, or take another name", EEXIST});
  }
  const auto slices = read_range(**reader, *range);
  if (!slices) return failed(slices.error());
  const NamedBaseline baseline = analysis::baseline_of(options.name, *slices);
  const auto kept = baselines::keep(options.db, baseline, unix_seconds(), options.replace);
  if (!kept) return failed(kept.error());
  if (options.format == "json") {
    return print_json({{"name", baseline.name},
                       {"from", baseline.from},
                       {"to", baseline.to},
                       {"slices", slices->size()},
                       {"series", baseline.series.size()},
                       {"left_out", baseline.left_out}});
  }
  std::string text =
      fmt::format("{}: {} series from {} to {}", baseline.name, baseline.series.size(),
                  time_text(baseline.from), time_text(baseline.to));
  if (slices->size() < baselines::kSlices)
    text += fmt::format("; nothing was recorded in {} of {} parts of the range",
                        baselines::kSlices - slices->size(), baselines::kSlices);
  if (baseline.left_out > 0) text += fmt::format("; {} series did not fit", baseline.left_out);
  return print(text + "\n");
}

// ---- list

int list(const BaselineOptions& options) {
  auto reader = store::Reader::open(options.db);
  if (!reader) return failed(reader.error());
  const auto all = baselines::heads(**reader);
  if (!all) return failed(all.error());
  if (options.format == "json") {
    json out = json::array();
    for (const Head& head : *all) {
      out.push_back({{"name", head.name},
                     {"created", head.created},
                     {"from", head.from},
                     {"to", head.to},
                     {"series", head.series},
                     {"left_out", head.left_out},
                     {"bytes", head.bytes}});
    }
    return print_json(out);
  }
  if (all->empty())
    return print("No baseline is kept; `nearzero baseline set NAME` keeps the last hour.\n");
  Table table({{"NAME"},
               {"FROM"},
               {"TO"},
               {"SERIES", Table::Align::right},
               {"SIZE", Table::Align::right},
               {"KEPT"}});
  for (const Head& head : *all) {
    table.add({head.name, time_text(head.from), time_text(head.to), std::to_string(head.series),
               analysis::bytes_text(static_cast<double>(head.bytes)), time_text(head.created)});
  }
  return print(table.text(cli::line_limit()));
}

// ---- show

bool is_wanted(const BaselineOptions& options, const std::string& name) {
  return options.series.empty() ||
         std::any_of(options.series.begin(), options.series.end(), [&](const std::string& pattern) {
           return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
         });
}

bool is_rate(const std::string& name) { return name.ends_with("_total"); }

/// What a series was; p99 of histograms alone.
struct Was {
  std::string statistic, unit;
  double middle = kNaN, p99 = kNaN;
};

Was was_of(const NamedSeries& series) {
  Was was;
  if (!series.slices.empty()) {
    const analysis::Histogram all = analysis::merged(series.slices);
    was.statistic = "p50";
    was.unit = "seconds";
    was.middle = all.quantile_interpolated(0.5);
    was.p99 = all.quantile_interpolated(0.99);
    return was;
  }
  std::vector<double> values = series.values;
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  was.statistic = is_rate(series.name) ? "rate" : "value";
  was.unit = is_rate(series.name) ? metrics::rate_unit(series.name, metrics::Type::counter)
                                  : metrics::unit(series.name);
  was.middle = analysis::robust::median(std::move(values));
  return was;
}

std::string figure(double value, const std::string& unit) {
  return std::isfinite(value) ? analysis::figure_text(value, unit) : "-";
}

std::string change(double before, double after) {
  if (!std::isfinite(before) || !std::isfinite(after) || (before == 0 && after == 0)) return "-";
  if (before == 0) return "new";
  const double share = after / before - 1;
  return (share > 0 ? "+" : "") + analysis::percent_text(share);
}

std::string head_text(const NamedBaseline& baseline) {
  return fmt::format("{}: {} to {}, {} series\n\n", baseline.name, time_text(baseline.from),
                     time_text(baseline.to), baseline.series.size());
}

std::string rest_text(std::size_t left, const char* which) {
  return left == 0 ? "" : fmt::format("{} {} are left out; --top 0 shows all\n", left, which);
}

std::string shown_text(const BaselineOptions& options, const NamedBaseline& baseline) {
  std::string text = head_text(baseline);
  Table table({{"QUANTITY", Table::Align::left, 100},
               {"MIDDLE", Table::Align::right},
               {"P99", Table::Align::right}});
  std::size_t left = 0, rows = 0;
  for (const NamedSeries& series : baseline.series) {
    if (!is_wanted(options, series.name)) continue;
    const Was was = was_of(series);
    // Most series of a host are those of what did not happen.
    if (!std::isfinite(was.middle) || (options.series.empty() && was.middle == 0)) continue;
    if (options.top != 0 && rows == options.top) {
      left++;
      continue;
    }
    rows++;
    table.add({analysis::text_of({series.name, series.labels, was.statistic, ""}),
               figure(was.middle, was.unit), figure(was.p99, was.unit)});
  }
  if (table.empty()) return text + "no series of that kind has a value in it\n";
  return text + table.text(cli::line_limit()) + rest_text(left, "further series");
}

json labels_json(const analysis::Labels& labels) {
  json out = json::object();
  for (const auto& [key, value] : labels) out[key] = value;
  return out;
}

json series_json(const NamedSeries& series) {
  const Was was = was_of(series);
  json out = {{"name", series.name},
              {"labels", labels_json(series.labels)},
              {"statistic", was.statistic},
              {"unit", was.unit},
              {"value", was.middle}};
  if (!series.slices.empty()) out["p99"] = was.p99;
  return out;
}

const analysis::QuantileShift* tail_of(const Comparison& c) {
  for (const analysis::QuantileShift& q : c.shift.quantiles) {
    if (q.quantile == 0.99) return &q;
  }
  return nullptr;
}

std::string verdict(const Comparison& c) {
  if (c.moved) return "yes, " + analysis::percent_text(c.confidence);
  const bool same = c.of.statistic != "p50" && c.before == c.after;
  return c.confidence > 0 || same ? "no" : "too little to tell";
}

std::string compared_text(const BaselineOptions& options, const NamedBaseline& baseline,
                          const std::vector<analysis::Window>& now,
                          const std::vector<Comparison>& all) {
  std::string text = head_text(baseline);
  Table table({{"QUANTITY", Table::Align::left, 80},
               {"WAS", Table::Align::right},
               {"NOW", Table::Align::right},
               {"CHANGE", Table::Align::right},
               {"P99 WAS", Table::Align::right},
               {"NOW", Table::Align::right},
               {"CHANGE", Table::Align::right},
               {"SIGNIFICANT"}});
  std::size_t left = 0, rows = 0, moved = 0;
  for (const Comparison& c : all) {
    moved += c.moved ? 1 : 0;
    const bool nothing = c.before == 0 && c.after == 0;
    if (options.series.empty() && nothing && !c.moved) continue;
    if (options.top != 0 && rows == options.top) {
      left++;
      continue;
    }
    rows++;
    const analysis::QuantileShift* tail = tail_of(c);
    const double was = tail != nullptr ? tail->before : kNaN;
    const double is = tail != nullptr ? tail->after : kNaN;
    table.add({analysis::text_of(c.of), figure(c.before, c.of.unit), figure(c.after, c.of.unit),
               change(c.before, c.after), figure(was, "seconds"), figure(is, "seconds"),
               change(was, is), verdict(c)});
  }
  text += table.empty() ? "no series of that kind has a value in both\n"
                        : table.text(cli::line_limit()) + rest_text(left, "further ones");
  return text + fmt::format("\n{} of {} series moved, from {} to {}\n", moved, all.size(),
                            time_text(now.front().from), time_text(now.back().to));
}

json comparison_json(const Comparison& c) {
  json out = {{"name", c.of.name},           {"labels", labels_json(c.of.labels)},
              {"statistic", c.of.statistic}, {"unit", c.of.unit},
              {"before", c.before},          {"after", c.after},
              {"significant", c.moved},      {"confidence", c.confidence},
              {"quantiles", json::array()}};
  for (const analysis::QuantileShift& q : c.shift.quantiles) {
    const bool moved =
        std::any_of(c.shift.moved.begin(), c.shift.moved.end(),
                    [&](const analysis::QuantileShift& m) { return m.quantile == q.quantile; });
    out["quantiles"].push_back({{"quantile", q.quantile},
                                {"before", q.before},
                                {"after", q.after},
                                {"ratio", q.ratio},
                                {"ratio_least", q.ratio_least},
                                {"ratio_most", q.ratio_most},
                                {"p", q.p},
                                {"moved", moved}});
  }
  return out;
}

int compare_with(const BaselineOptions& options, store::Reader& reader,
                 const NamedBaseline& baseline) {
  const auto range = range_of(options);
  if (!range) return failed(range.error());
  const auto now = read_range(reader, *range);
  if (!now) return failed(now.error());
  auto all = analysis::compare(*now, baseline);
  std::erase_if(all, [&](const Comparison& c) { return !is_wanted(options, c.of.name); });
  if (options.format != "json") return print(compared_text(options, baseline, *now, all));
  json out = {{"name", baseline.name},
              {"from", baseline.from},
              {"to", baseline.to},
              {"now", {{"from", now->front().from}, {"to", now->back().to}}},
              {"series", json::array()}};
  for (const Comparison& c : all) out["series"].push_back(comparison_json(c));
  return print_json(out);
}

int show(const BaselineOptions& options) {
  auto reader = store::Reader::open(options.db);
  if (!reader) return failed(reader.error());
  const auto baseline = baselines::find(**reader, options.name);
  if (!baseline) return failed(baseline.error());
  if (options.compare) return compare_with(options, **reader, *baseline);
  if (options.format != "json") return print(shown_text(options, *baseline));
  json out = {{"name", baseline->name},
              {"from", baseline->from},
              {"to", baseline->to},
              {"left_out", baseline->left_out},
              {"series", json::array()}};
  for (const NamedSeries& series : baseline->series) {
    if (is_wanted(options, series.name)) out["series"].push_back(series_json(series));
  }
  return print_json(out);
}

int remove(const BaselineOptions& options) {
  const auto removed = baselines::remove(options.db, options.name);
  if (!removed) return failed(removed.error());
  if (options.format == "json") return print_json({{"removed", options.name}});
  return print(options.name + " is removed\n");
}

int run_baseline(const BaselineOptions& options) {
  const bool named = options.action != "list";
  if (named && options.name.empty())
    return failed(Error{options.action + " takes the name of a baseline",
                        "nearzero baseline " + options.action + " release-1.4", EINVAL});
  if (!named && !options.name.empty())
    return failed(Error{"list takes no name", "nearzero baseline show NAME", EINVAL});
  const bool ranged = !options.from.empty() || !options.to.empty();
  if (ranged && options.action != "set" && !options.compare)
    return failed(Error{"--from and --to are for set, and for show --compare", "", EINVAL});
  if (options.action == "set") return set(options);
  if (options.action == "list") return list(options);
  return options.action == "show" ? show(options) : remove(options);
}

}  // namespace

Command add_baseline(CLI::App& app) {
  auto options = std::make_shared<BaselineOptions>();
  auto* sub = app.add_subcommand(
      "baseline", "Keep a time of the history under a name, and see what moved since");
  sub->add_option("action", options->action, "set, list, show or remove")
      ->required()
      ->check(CLI::IsMember({"set", "list", "show", "remove"}));
  sub->add_option("name", options->name, "As alert rules name it: release-1.4");
  sub->add_option("--from", options->from,
                  "set: of the range, an hour before its end without it; show --compare: of the "
                  "time that is compared: RFC 3339, Unix seconds, -24h");
  sub->add_option("--to", options->to, "... until then; now without it");
  sub->add_flag("--replace", options->replace, "set: in place of the one of that name");
  sub->add_flag("--compare", options->compare,
                "show: against the last hour (or --from, --to), what moved first");
  sub->add_option("-s,--series", options->series, "show: these families alone; * and ? may stand")
      ->allow_extra_args(false);
  sub->add_option("--top", options->top, "show: rows of the table at most; 0: all")
      ->capture_default_str();
  sub->add_option("--db", options->db, "The history's file")
      ->envname("NEARZERO_HISTORY")
      ->capture_default_str();
  add_format(*sub, options->format);
  sub->footer(examples(
      {{"nearzero baseline set release-1.4", "the last hour"},
       {"nearzero baseline set before-upgrade --from -2h --to -1h", ""},
       {"nearzero baseline list", ""},
       {"nearzero baseline show release-1.4", "what was usual then"},
       {"nearzero baseline show release-1.4 --compare", "what moved since"},
       {"nearzero baseline show release-1.4 --compare -s '*_bytes' -f json", ""},
       {"nearzero baseline remove before-upgrade", ""}},
      "Works beside a running agent, whose rules know a new one within a minute "
      "(degradation: {baseline: release-1.4}).\nWhat is usual at each hour of the week the agent "
      "learns by itself (docs/baselines.md)."));
  return {sub, [options] { return run_baseline(*options); }};
}

}  // namespace nz::commands
