// nearzero check: what this host allows; with a function, whether a probe there fires, is safe, and
// what it would cost.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "userspace/base/exit_codes.h"
#include "userspace/base/interrupt.h"
#include "userspace/cli/table.h"
#include "userspace/cli/terminal.h"
#include "userspace/commands/command.h"
#include "userspace/commands/function_json.h"
#include "userspace/commands/output.h"
#include "userspace/inspect/call_rate.h"
#include "userspace/inspect/host.h"
#include "userspace/inspect/mapped_by.h"
#include "userspace/sites/explain.h"
#include "userspace/sites/inlined.h"

namespace nz::commands {
namespace {

using nlohmann::json;

// More than this for one look is a mistyped pattern.
constexpr size_t kMostFunctions = 20;
// Of one core, while counting: `check` must not be what makes the service miss its target.
constexpr double kMostWhileCounting = 0.05;

struct CheckOptions {
  std::string where, format = "text", runtime_dir = "/run/nearzero";
  std::optional<pid_t> pid;
  double seconds = 1;
  bool nothrow = false;
};

// ---- the host

const char* word(inspect::Row::State state) {
  switch (state) {
    case inspect::Row::State::ok:
      return "ok";
    case inspect::Row::State::note:
      return "note";
    case inspect::Row::State::bad:
      return "MISSING";
  }
  return "";
}

int check_host(const CheckOptions& options) {
  const inspect::Host host = inspect::look_at_host(options.runtime_dir);
  const int code = !host.privileged ? kNoPrivilege : host.supported ? kOk : kUnsupported;
  if (options.format == "json") {
    json out = {{"rows", json::array()}, {"prices_ns", json::object()}};
    for (const auto& row : host.rows)
      out["rows"].push_back({{"name", row.name}, {"state", word(row.state)}, {"text", row.text}});
    for (const auto& [kind, ns] : host.prices.ns) {
      out["prices_ns"][observe::hit_kind_name(kind)] = {
          {"ns", ns}, {"measured", host.prices.measured.contains(kind)}};
    }
    const int written = print_json(out);
    return written == kOk ? code : written;
  }
  cli::Table rows({{"WHAT"}, {""}, {"FOUND"}});
  for (const auto& row : host.rows) rows.add({row.name, word(row.state), row.text});
  cli::Table prices({{"ONE HIT OF"}, {"NS", cli::Table::Align::right}, {""}});
  for (const auto& [kind, ns] : host.prices.ns) {
    prices.add({observe::hit_kind_name(kind), fmt::format("{:.0f}", ns),
                host.prices.measured.contains(kind) ? "measured here" : "estimate"});
  }
  const int written = print(rows.text() + "\n" + prices.text(cli::line_limit()));
  return written == kOk ? code : written;
}

// ---- a function

struct Findings {
  inspect::Function function;
  sites::InlinedCopies inlined;
  std::optional<uint64_t> calls;  ///< nothing: not counted
};

std::string percent(double share) { return fmt::format("{:.3g} %", share * 100); }

std::string fires_text(const Findings& f, const std::vector<targets::Process>& runs) {
  std::string text;
  if (f.calls && *f.calls > 0) {
    text = "yes";
  } else if (runs.empty()) {
    text = "not now: no running process has the file mapped";
  } else {
    text = f.calls ? "it can, but was not called while counting" : "it can";
  }
  if (!f.inlined.debug_info)
    return text + "; no debug information tells of inlined copies, which no probe here sees";
  if (f.inlined.copies == 0)
    return text + (f.inlined.complete ? "; no inlined copies"
                                      : "; no inlined copies in what was looked at (it is large)");
  text += fmt::format("; NOT for {}{} inlined cop{}: ", f.inlined.complete ? "" : "at least ",
                      f.inlined.copies, f.inlined.copies == 1 ? "y" : "ies");
  for (size_t i = 0; i < f.inlined.where.size(); i++)
    text += (i == 0 ? "" : ", ") + f.inlined.where[i];
  return text + (f.inlined.copies > f.inlined.where.size() ? ", ..." : "");
}

std::string end_text(const inspect::Function& f) {
  if (!f.returns) return "refused: " + f.no_return;
  std::string text = inspect::return_words(f);
  if (const auto* probe = std::get_if<sites::ReturnProbe>(&f.returns->how))
    text += " set at " + sites::explain(probe->entry);
  text += ": " + f.returns->why;
  return f.returns->caveat.empty() ? text : text + "; " + f.returns->caveat;
}

std::string runs_text(const std::vector<targets::Process>& runs) {
  std::string text;
  for (size_t i = 0; i < runs.size() && i < 4; i++)
    text += fmt::format("{}{} ({})", i == 0 ? "" : ", ", runs[i].pid, runs[i].comm);
  if (runs.size() > 4) text += fmt::format(" and {} more", runs.size() - 4);
  return text.empty() ? "none" : text;
}

std::string block(const Findings& found, const std::vector<targets::Process>& runs,
                  const inspect::CallRate& rate, const std::string& not_counted) {
  const inspect::Function& f = found.function;
  std::string text = fmt::format("{}\n", f.name);
  const auto line = [&text](const char* name, const std::string& value) {
    text += fmt::format("  {:<10}{}\n", name, value);
  };
  line("code", fmt::format("{} bytes at {:x}", f.symbol.size, f.symbol.address));
  std::string same;
  for (const std::string& alias : f.aliases) same += (same.empty() ? "" : ", ") + alias;
  if (!same.empty()) line("same code", same + ": their calls are counted as well");
  line("runs in", runs_text(runs));
  line("fires", fires_text(found, runs));
  line("entry",
       f.entry ? sites::explain(*f.entry) + (f.entry->caveat.empty() ? "" : "; " + f.entry->caveat)
               : "refused: " + f.no_entry);
  line("end", end_text(f));
  if (f.entry)
    line("cost", fmt::format("{:.0f} ns a call for its entry", f.entry_ns) +
                     (f.returns ? fmt::format(", {:.0f} ns with its end", f.call_ns) : ""));
  if (!found.calls) {
    line("rate", "not counted: " + not_counted);
    return text;
  }
  const double per_second = static_cast<double>(*found.calls) / rate.seconds;
  line("rate", fmt::format("{} calls a second, counted for {:.2f} s{}", cli::count_text(per_second),
                           rate.seconds,
                           rate.stopped_early ? " (ended early: counting cost too much)" : ""));
  line("overhead",
       fmt::format("{} of one core at this rate for its entry",
                   percent(per_second * f.entry_ns / 1e9)) +
           (f.returns ? fmt::format(", {} with its end", percent(per_second * f.call_ns / 1e9))
                      : ""));
  return text;
}

// Fills in how often each was called; the text says why not.
std::string count(std::vector<Findings>& findings, const std::string& path,
                  const CheckOptions& options, inspect::CallRate& rate) {
  if (options.seconds == 0) return "--seconds 0";
  auto object = inspect::load_counter();
  if (!object) return object.error().text();
  std::vector<uint64_t> sites;
  std::vector<double> prices;
  std::vector<Findings*> counted;
  for (Findings& f : findings) {
    if (!f.function.entry) continue;
    counted.push_back(&f);
    sites.push_back(f.function.entry->offset);
    prices.push_back(f.function.entry_ns);
  }
  if (sites.empty()) return "no probe is possible";
  const auto length = std::chrono::milliseconds(static_cast<int64_t>(options.seconds * 1000));
  auto result = inspect::count_calls(**object, path, options.pid.value_or(0), sites, prices,
                                     kMostWhileCounting, length);
  if (!result) return result.error().text();
  rate = *result;
  for (size_t i = 0; i < counted.size(); i++) counted[i]->calls = rate.calls[i];
  return "no probe is possible";
}

json findings_json(const Findings& f, double seconds) {
  json out = function_json(f.function);
  out["inlined"] = {{"debug_info", f.inlined.debug_info},
                    {"copies", f.inlined.copies},
                    {"where", f.inlined.where},
                    {"complete", f.inlined.complete}};
  out["calls"] = f.calls ? json(*f.calls) : json();
  const double rate = f.calls && seconds > 0 ? static_cast<double>(*f.calls) / seconds : 0;
  out["calls_per_second"] = f.calls ? json(rate) : json();
  out["entry_overhead"] = f.calls ? json(rate * f.function.entry_ns / 1e9) : json();
  out["call_overhead"] =
      f.calls && f.function.returns ? json(rate * f.function.call_ns / 1e9) : json();
  return out;
}

int check_function(const CheckOptions& options) {
  const auto place = inspect::find_place(options.where, options.pid);
  if (!place) return report("check", place.error(), kNotFound);
  if (place->pattern.empty())
    return report("check",
                  Error{"no function is named in '" + options.where + "'",
                        "write BINARY:SYMBOL; `nearzero list BINARY` shows them"},
                  kUsage);
  const auto binary = sites::Binary::open(place->path);
  if (!binary) return report("check", binary.error(), kNotFound);
  const auto symbols = binary->find(place->pattern);
  if (!symbols) return report("check", symbols.error(), kNotFound);
  if (symbols->size() > kMostFunctions)
    return report("check",
                  Error{fmt::format("{} functions of {} are like '{}'", symbols->size(),
                                    place->shown, place->pattern),
                        fmt::format("at most {} are looked at; `nearzero list` shows them all",
                                    kMostFunctions)},
                  kUsage);

  sites::ReturnPolicy policy;
  policy.nothrow = options.nothrow;
  policy.shadow_stack = options.pid && sites::user_shadow_stack_active(*options.pid);
  const auto kernel = sites::detect();
  const auto estimates = observe::estimated_prices();
  const auto runs = inspect::mapped_by(*binary);
  std::vector<Findings> findings;
  for (const sites::Symbol& symbol : *symbols) {
    Findings f;
    f.function = inspect::look_at(*binary, symbol, policy, kernel, estimates);
    f.inlined = sites::find_inlined(*binary, symbol.name);
    findings.push_back(std::move(f));
  }
  catch_interrupts();
  inspect::CallRate rate;
  const std::string not_counted = count(findings, place->path, options, rate);
  // Measuring takes a second: after the count, which is of what happens now.
  if (options.seconds > 0) {
    const auto prices = inspect::prices_here();
    for (Findings& f : findings)
      f.function = inspect::look_at(*binary, f.function.symbol, policy, kernel, prices);
  }

  const bool refused = std::all_of(findings.begin(), findings.end(),
                                   [](const Findings& f) { return !f.function.entry; });
  int written = kOk;
  if (options.format == "json") {
    json out = {{"binary", place->shown},
                {"build_id", binary->build_id()},
                {"processes", json::array()},
                {"counted_seconds", rate.seconds},
                {"stopped_early", rate.stopped_early},
                {"not_counted", rate.seconds == 0 ? not_counted : ""},
                {"functions", json::array()}};
    for (const auto& process : runs)
      out["processes"].push_back({{"pid", process.pid}, {"comm", process.comm}});
    for (const Findings& f : findings) out["functions"].push_back(findings_json(f, rate.seconds));
    written = print_json(out);
  } else {
    std::string text = fmt::format("{}\n\n", place->shown);
    for (const Findings& f : findings) text += block(f, runs, rate, not_counted) + "\n";
    text.pop_back();
    written = print(text);
  }
  return written != kOk ? written : refused ? kRefused : kOk;
}

}  // namespace

Command add_check(CLI::App& app) {
  auto options = std::make_shared<CheckOptions>();
  auto* sub = app.add_subcommand(
      "check", "What this host allows; for a function: does a probe fire, is it safe, its cost");
  sub->add_option("where", options->where,
                  "BINARY:SYMBOL, as for `nearzero list`; nothing: the host");
  sub->add_option("-p,--pid", options->pid, "In this process alone")->check(pid_validator());
  sub->add_option("-s,--seconds", options->seconds, "How long calls are counted; 0: not at all")
      ->check(CLI::Range(0.0, 60.0))
      ->capture_default_str();
  sub->add_flag("--nothrow", options->nothrow,
                "No exception passes through the function: a return probe is allowed then");
  sub->add_option("--runtime-dir", options->runtime_dir, "Folder of the agent's lock")
      ->envname("NEARZERO_RUNTIME_DIR")
      ->capture_default_str();
  add_format(*sub, options->format);
  sub->footer(examples(
      {{"nearzero check", "kernel, privileges, memory; what a hit costs here"},
       {"nearzero check libsqlite3:sqlite3_step", "would a probe fire, and what would it cost"},
       {"nearzero check 'libc:pthread_mutex_*lock' -s 0", "several, not counted"},
       {"nearzero check -p $$ libc:malloc", "in one process"},
       {"nearzero check -f json libc:malloc", "for programs"}},
      "Counting ends early when it would cost more than 5 % of a core."));
  return {sub, [options] {
            return options->where.empty() ? check_host(*options) : check_function(*options);
          }};
}

}  // namespace nz::commands
