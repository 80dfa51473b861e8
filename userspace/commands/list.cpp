// nearzero list: what can be probed.
#include <fmt/format.h>
#include <fnmatch.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "nearzero/abi.h"
#include "probes/syscall_names.h"
#include "userspace/base/exit_codes.h"
#include "userspace/cli/table.h"
#include "userspace/cli/terminal.h"
#include "userspace/commands/command.h"
#include "userspace/commands/function_json.h"
#include "userspace/commands/output.h"
#include "userspace/inspect/functions.h"
#include "userspace/inspect/sqlite_users.h"
#include "userspace/sites/usdt.h"

namespace nz::commands {
namespace {

using cli::Table;
using nlohmann::json;

struct ListOptions {
  std::string what, format = "text";
  std::optional<pid_t> pid;
  size_t limit = 200;
};

std::string ns_text(double ns) { return fmt::format("{:.0f}", ns); }

// ---- functions of a binary

int list_functions(const ListOptions& options, const std::string& what) {
  const auto place = inspect::find_place(what, options.pid);
  if (!place) return report("list", place.error(), kNotFound);
  const auto binary = sites::Binary::open(place->path);
  if (!binary) return report("list", binary.error(), kNotFound);
  auto symbols = binary->find(place->pattern.empty() ? "*" : place->pattern);
  if (!symbols) return report("list", symbols.error(), kNotFound);
  const size_t all = symbols->size();
  if (options.limit != 0 && all > options.limit) symbols->resize(options.limit);

  sites::ReturnPolicy policy;
  policy.shadow_stack = options.pid && sites::user_shadow_stack_active(*options.pid);
  std::vector<inspect::Function> functions;
  {
    cli::Progress progress("looking at functions:");
    const auto kernel = sites::detect();
    const auto prices = observe::estimated_prices();
    for (const sites::Symbol& symbol : *symbols) {
      progress.at(functions.size(), symbols->size());
      functions.push_back(inspect::look_at(*binary, symbol, policy, kernel, prices));
    }
  }
  if (options.format == "json") {
    json out = {{"binary", place->shown},
                {"build_id", binary->build_id()},
                {"symbol_file", binary->symbol_file()},
                {"matched", all},
                {"functions", json::array()}};
    for (const auto& f : functions) out["functions"].push_back(function_json(f));
    return print_json(out);
  }
  Table table({{"ADDRESS", Table::Align::right},
               {"SIZE", Table::Align::right},
               {"ENTRY AT"},
               {"NS", Table::Align::right},
               {"END SEEN BY"},
               {"NS", Table::Align::right},
               {"FUNCTION"}});
  for (const auto& f : functions) {
    table.add({fmt::format("{:x}", f.symbol.address), std::to_string(f.symbol.size),
               f.entry ? fmt::format("+{} {}{}", f.entry->into_function,
                                     cli::cut(f.entry->instruction, 24),
                                     f.entry->expected == sites::Cost::emulated ? "" : " (stepped)")
                       : "refused",
               f.entry ? ns_text(f.entry_ns) : "-", inspect::return_words(f),
               f.returns ? ns_text(f.call_ns) : "-", f.name});
  }
  std::string text = table.text(cli::line_limit());
  text += fmt::format(
      "\n{} of {} functions{}; ns: estimated cost of a call, its entry alone and with "
      "its end\n",
      functions.size(), all,
      functions.size() < all ? " (narrow the pattern, or --limit 0 for all)" : "");
  if (binary->traits().stripped)
    text += "The file is stripped: only exported functions are known.\n";
  return print(text);
}

// ---- statically defined probes

int list_usdt(const ListOptions& options, const std::string& what) {
  const auto place = inspect::find_place(what, options.pid);
  if (!place) return report("list", place.error(), kNotFound);
  const auto probes = sites::usdt_probes(place->path);
  if (!probes) return report("list", probes.error(), kNotFound);
  json out = {{"binary", place->shown}, {"probes", json::array()}};
  Table table(
      {{"PROVIDER"}, {"NAME"}, {"ADDRESS", Table::Align::right}, {"SEMAPHORE"}, {"ARGUMENTS"}});
  size_t matched = 0;
  for (const sites::UsdtProbe& p : *probes) {
    const std::string full = p.provider + ":" + p.name;
    if (!place->pattern.empty() && fnmatch(place->pattern.c_str(), full.c_str(), 0) != 0 &&
        fnmatch(place->pattern.c_str(), p.name.c_str(), 0) != 0)
      continue;
    matched++;
    out["probes"].push_back({{"provider", p.provider},
                             {"name", p.name},
                             {"address", p.address},
                             {"offset", p.offset},
                             {"semaphore_offset", p.semaphore_offset},
                             {"arguments", p.arguments}});
    table.add({p.provider, p.name, fmt::format("{:x}", p.address),
               p.semaphore_offset != 0 ? "yes" : "no", p.arguments});
  }
  if (options.format == "json") return print_json(out);
  if (probes->empty()) return print(place->shown + " has no USDT probes\n");
  if (matched == 0) {
    return report(
        "list",
        Error{fmt::format("no USDT probe of {} is like '{}'", place->shown, place->pattern),
              fmt::format("it has {}; `nearzero list usdt:{}` shows them", probes->size(),
                          place->shown)},
        kNotFound);
  }
  return print(table.text(cli::line_limit()));
}

// ---- system calls

int list_syscalls(const ListOptions& options, const std::string& pattern) {
  json out = {{"syscalls", json::array()}};
  Table table({{"NUMBER", Table::Align::right}, {"SYSCALL"}});
  for (uint32_t number = 0; number < NZ_NR_SYSCALLS; number++) {
    const std::string name = probes::syscall_name(number);
    if (name == "syscall_" + std::to_string(number)) continue;  // none of that number
    if (!pattern.empty() && fnmatch(pattern.c_str(), name.c_str(), 0) != 0) continue;
    out["syscalls"].push_back({{"number", number}, {"name", name}});
    table.add({std::to_string(number), name});
  }
  if (table.empty())
    return report("list",
                  Error{"no system call is like '" + pattern + "'", "patterns know * and ?"},
                  kNotFound);
  return options.format == "json" ? print_json(out) : print(table.text(cli::line_limit()));
}

// ---- SQLite

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : between) + part;
  return text;
}

int list_sqlite(const ListOptions& options) {
  size_t unreadable = 0;
  std::vector<inspect::SqliteUser> users;
  {
    cli::Progress progress("looking at processes:");
    users = inspect::sqlite_users(&unreadable,
                                  [&](size_t done, size_t all) { progress.at(done, all); });
  }
  if (options.pid) std::erase_if(users, [&](const auto& user) { return user.pid != *options.pid; });
  if (options.format == "json") {
    json out = {{"processes", json::array()}, {"unreadable_processes", unreadable}};
    for (const auto& u : users) {
      out["processes"].push_back({{"pid", u.pid},
                                  {"comm", u.comm},
                                  {"linkage", u.linkage},
                                  {"file", u.file},
                                  {"version", u.version},
                                  {"plans", u.plans},
                                  {"missing", u.missing},
                                  {"databases", u.databases}});
    }
    return print_json(out);
  }
  std::string text;
  if (users.empty()) {
    text = "No process uses SQLite now.\n";
  } else {
    Table table({{"PID", Table::Align::right},
                 {"COMMAND"},
                 {"LINKED"},
                 {"VERSION"},
                 {"PLANS"},
                 {"FILE"},
                 {"DATABASES"}});
    for (const auto& u : users) {
      table.add({std::to_string(u.pid), u.comm, u.linkage, u.version.empty() ? "-" : u.version,
                 u.plans.empty() ? "none" : joined(u.plans, ", "), u.file,
                 joined(u.databases, ", ")});
    }
    text = table.text(cli::line_limit());
    for (const auto& u : users) {
      if (u.plans.empty())
        text += fmt::format("\n{} ({}) cannot be observed: {}\n", u.pid, u.comm,
                            joined(u.missing, "; "));
    }
  }
  if (unreadable != 0)
    text += fmt::format("\n{} processes could not be looked at: run as root\n", unreadable);
  return print(text);
}

int overview() {
  return print(
      "functions of a binary   nearzero list BINARY[:PATTERN]     e.g. libsqlite3:sqlite3_st*\n"
      "of a running process    nearzero list -p PID :PATTERN\n"
      "USDT probes             nearzero list usdt:BINARY[:PATTERN]\n"
      "system calls            nearzero list syscalls[:PATTERN]\n"
      "processes with SQLite   nearzero list sqlite\n");
}

int run_list(const ListOptions& options) {
  const auto after = [&](const std::string& prefix) {
    return options.what.starts_with(prefix)
               ? std::optional<std::string>(options.what.substr(prefix.size()))
               : std::nullopt;
  };
  if (options.what.empty()) return options.pid ? list_functions(options, ":*") : overview();
  if (options.what == "sqlite") return list_sqlite(options);
  if (options.what == "syscalls") return list_syscalls(options, "");
  if (const auto pattern = after("syscalls:")) return list_syscalls(options, *pattern);
  if (const auto binary = after("usdt:")) return list_usdt(options, *binary);
  if (const auto binary = after("func:")) return list_functions(options, *binary);
  return list_functions(options, options.what);
}

}  // namespace

Command add_list(CLI::App& app) {
  auto options = std::make_shared<ListOptions>();
  auto* sub = app.add_subcommand(
      "list", "What can be probed: functions, USDT probes, system calls, users of SQLite");
  sub->add_option("what", options->what,
                  "BINARY[:PATTERN], usdt:BINARY[:PATTERN], syscalls[:PATTERN] or sqlite");
  sub->add_option("-p,--pid", options->pid,
                  "Look for BINARY among the files of this process (:PATTERN is its executable)")
      ->check(pid_validator());
  sub->add_option("-n,--limit", options->limit, "Functions at most; 0: all")->capture_default_str();
  add_format(*sub, options->format);
  sub->footer(examples({{"nearzero list libsqlite3:sqlite3_step", "where its probes would sit"},
                        {"nearzero list 'libsqlite3:*busy*'", "globs, also on demangled names"},
                        {"nearzero list -p $$ libc:malloc", "of a running process"},
                        {"nearzero list usdt:libstdc++", "statically defined probes"},
                        {"nearzero list 'syscalls:*sync*'", ""},
                        {"nearzero list sqlite", "who uses SQLite, and how"},
                        {"nearzero list -f json libsqlite3:sqlite3_prepare_v2", "for programs"}}));
  return {sub, [options] { return run_list(*options); }};
}

}  // namespace nz::commands
