#include "userspace/trace/report.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include "userspace/cli/table.h"
#include "userspace/cli/terminal.h"
#include "userspace/trace/picture.h"

namespace nz::trace {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<double, const char*>, 4> kQuantiles = {
    {{0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}, {0.999, "p99.9"}}};

double seconds(uint64_t ns) { return static_cast<double>(ns) / 1e9; }

std::string clock_text() {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return fmt::format("{:%H:%M:%S}", fmt::localtime(std::chrono::system_clock::to_time_t(now)));
}

}  // namespace

std::vector<Report::Row> Report::rows_of(const Interval& interval) const {
  std::vector<Row> rows;
  std::map<RowKey, size_t> seen;
  for (const auto& [key, histogram] : interval.rows) {
    RowKey merged = key;
    std::map<std::string, uint64_t> errors;
    if (names_.is_syscall(key.series)) {
      const std::string error = names_.number_name(key.series, key.number);
      if (!error.empty()) errors[error] = histogram.count();
      if ((request_.by & NZ_BY_NUMBER) == 0) merged.number = 0;
    }
    const auto [at, fresh] = seen.emplace(merged, rows.size());
    if (!fresh) {
      rows[at->second].histogram.merge(histogram);
      rows[at->second].errors.merge(errors);
      continue;
    }
    Row row{names_.name_of(key.series), {}, histogram, std::move(errors)};
    if ((request_.by & NZ_BY_PID) != 0) row.by.emplace_back("pid", std::to_string(key.id));
    if ((request_.by & NZ_BY_TID) != 0) row.by.emplace_back("tid", std::to_string(key.id));
    if ((request_.by & NZ_BY_COMM) != 0) row.by.emplace_back("comm", key.comm);
    if (request_.by_cpu) row.by.emplace_back("cpu", std::to_string(key.cpu));
    if ((request_.by & NZ_BY_NUMBER) != 0) {
      const std::string detail = names_.number_name(key.series, key.number);
      if (!detail.empty()) row.by.emplace_back("detail", detail);
    }
    rows.push_back(std::move(row));
  }
  // The most time first; what is only counted, by count.
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    if (a.histogram.sum_ns != b.histogram.sum_ns) return a.histogram.sum_ns > b.histogram.sum_ns;
    return a.histogram.count() > b.histogram.count();
  });
  return rows;
}

// ", pid 12, cpu 0"
std::string Report::Row::by_text() const {
  std::string text;
  for (const auto& [column, value] : by) text += ", " + column + " " + value;
  return text;
}

// A statement of a single row is open as long as it is inside SQLite: one line says it.
void Report::drop_repeated(std::vector<Row>& rows) {
  const std::string inside = "inside: ";
  const std::string open = "open: ";
  std::map<std::string, const Row*> insides;
  for (const Row& row : rows) {
    if (row.name.target == "sqlite" && row.name.what.starts_with(inside))
      insides[row.name.what.substr(inside.size()) + row.by_text()] = &row;
  }
  std::erase_if(rows, [&](const Row& row) {
    if (row.name.target != "sqlite" || !row.name.what.starts_with(open)) return false;
    const auto at = insides.find(row.name.what.substr(open.size()) + row.by_text());
    return at != insides.end() && at->second->histogram.count() == row.histogram.count() &&
           static_cast<double>(row.histogram.sum_ns) <
               1.05 * static_cast<double>(at->second->histogram.sum_ns);
  });
}

std::string Report::as_text(const Interval& interval) const {
  std::vector<Row> rows = rows_of(interval);
  drop_repeated(rows);
  std::string text = fmt::format("{}  {:.1f} s{}\n", clock_text(), interval.seconds,
                                 request_.whose.empty() ? "" : "  " + request_.whose);
  std::vector<cli::Table::Column> columns = {{"TARGET"}, {"WHAT", cli::Table::Align::left, 70}};
  std::vector<std::string> by;
  for (const Row& row : rows) {
    for (const auto& [name, value] : row.by) {
      if (std::find(by.begin(), by.end(), name) == by.end()) by.push_back(name);
    }
  }
  for (const std::string& name : by) {
    std::string title = name;
    std::transform(title.begin(), title.end(), title.begin(), ::toupper);
    columns.push_back({title, name == "comm" || name == "detail" ? cli::Table::Align::left
                                                                 : cli::Table::Align::right});
  }
  for (const char* title : {"COUNT", "RATE/s", "P50", "P90", "P99", "P99.9", "MAX", "TOTAL"})
    columns.push_back({title, cli::Table::Align::right});

  cli::Table table(std::move(columns));
  size_t shown = 0;
  std::string pictures;
  size_t drawn = 0;
  for (const Row& row : rows) {
    if (request_.rows != 0 && shown == request_.rows) break;
    shown++;
    const analysis::Histogram& h = row.histogram;
    std::vector<std::string> cells = {row.name.target, row.name.what};
    const std::string title = row.name.target + ", " + row.name.what + row.by_text();
    for (const std::string& name : by) {
      const auto at = std::find_if(row.by.begin(), row.by.end(),
                                   [&name](const auto& entry) { return entry.first == name; });
      cells.push_back(at == row.by.end() ? "" : at->second);
    }
    cells.push_back(std::to_string(h.count()));
    cells.push_back(cli::count_text(static_cast<double>(h.count()) / interval.seconds));
    for (const auto& [q, name] : kQuantiles)
      cells.push_back(row.name.timed ? cli::duration_text(h.quantile(q)) : "-");
    cells.push_back(row.name.timed ? cli::duration_text(seconds(h.max_ns)) : "-");
    cells.push_back(row.name.timed ? cli::duration_text(seconds(h.sum_ns)) : "-");
    table.add(std::move(cells));
    if (row.name.timed && drawn < request_.pictures) {
      drawn++;
      pictures += "\n" + title + "\n" + picture(h, cli::terminal_width());
    }
  }
  if (rows.empty()) {
    text += "nothing happened\n";
  } else {
    text += table.text(cli::line_limit());
    if (shown < rows.size())
      text += fmt::format("{} more rows (--top 0 shows all)\n", rows.size() - shown);
    text += pictures;
  }
  for (const Row& row : rows) {
    if (row.errors.empty()) continue;
    std::string list;
    for (const auto& [error, count] : row.errors)
      list += fmt::format("{}{} {}", list.empty() ? "" : ", ", error, count);
    text += fmt::format("errors: {}{}: {}\n", row.name.what, row.by_text(), list);
  }
  for (const auto& [cause, count] : interval.lost)
    text += fmt::format("not recorded: {} ({})\n", count, cause);
  return text + "\n";
}

std::string Report::as_text(const Slow& slow) {
  std::string text =
      fmt::format("{}  {:>7}  {}, {}{}{}  {} ({}/{})\n", slow.time,
                  cli::duration_text(seconds(slow.ns)), slow.name.target, slow.name.what,
                  slow.number.empty() ? "" : ", ", slow.number, slow.comm, slow.pid, slow.tid);
  for (const std::string& frame : slow.kernel) text += "    [kernel] " + frame + "\n";
  for (const std::string& frame : slow.user) text += "    " + frame + "\n";
  return text;
}

std::string Report::as_json(const Interval& interval, const std::vector<Slow>& slow) const {
  const auto now = std::chrono::system_clock::now();
  json out = {{"version", 1},
              {"unix_seconds", std::chrono::duration<double>(now.time_since_epoch()).count()},
              {"seconds", interval.seconds},
              {"last", interval.last},
              {"cost_seconds", interval.cost},
              {"not_recorded", interval.lost},
              {"rows", json::array()},
              {"slow", json::array()}};
  for (const Row& row : rows_of(interval)) {
    const analysis::Histogram& h = row.histogram;
    json r = {{"target", row.name.target},
              {"what", row.name.what},
              {"by", json::object()},
              {"count", h.count()},
              {"rate", static_cast<double>(h.count()) / interval.seconds},
              {"timed", row.name.timed}};
    for (const auto& [name, value] : row.by) r["by"][name] = value;
    if (row.name.target == "syscalls") r["errors"] = row.errors;
    if (row.name.timed) {
      r["sum_seconds"] = seconds(h.sum_ns);
      r["min_seconds"] = seconds(h.min_ns);
      r["max_seconds"] = seconds(h.max_ns);
      for (const auto& [q, name] : kQuantiles) r["quantiles"][name] = h.quantile(q);
      // [upper boundary in seconds, count], those that hold something.
      json buckets = json::array();
      if (h.zero != 0) buckets.push_back({seconds(analysis::zero_threshold_ns()), h.zero});
      for (size_t i = 0; i < h.buckets.size(); i++) {
        if (h.buckets[i] != 0) buckets.push_back({analysis::upper_bound_seconds(i), h.buckets[i]});
      }
      if (h.overflow != 0) buckets.push_back({nullptr, h.overflow});
      r["buckets"] = std::move(buckets);
    }
    out["rows"].push_back(std::move(r));
  }
  for (const Slow& s : slow) {
    out["slow"].push_back({{"time", s.time},
                           {"target", s.name.target},
                           {"what", s.name.what},
                           {"detail", s.number},
                           {"pid", s.pid},
                           {"tid", s.tid},
                           {"comm", s.comm},
                           {"seconds", seconds(s.ns)},
                           {"kernel_stack", s.kernel},
                           {"user_stack", s.user}});
  }
  return out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace nz::trace
