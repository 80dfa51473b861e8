#include <algorithm>
#include <array>
#include <utility>

#include "analysis/text.h"
#include "userspace/report/sections.h"

namespace nz::report {
namespace {

using analysis::Component;
using analysis::Parts;

constexpr std::size_t kMostStages = 16;

constexpr std::array<const char*, analysis::kComponents> kMeanings = {
    "on a CPU",
    "ready, waiting for a CPU (run queue)",
    "blocked in a lock (futex)",
    "waiting for work: condition variable, epoll, poll",
    "blocked on the disk",
    "blocked on the network",
    "sleeping by its own will, or in a busy handler",
    "blocked in a page fault",
    "blocked on another process: pipe, local socket",
    "blocked on something else"};

Component component(std::size_t i) { return static_cast<Component>(i); }

ShareBar bar(std::string label, const Parts& parts, bool reference) {
  ShareBar result{std::move(label), {}, reference};
  for (std::size_t i = 0; i < analysis::kComponents; i++) {
    const Component c = component(i);
    if (parts[c] > 0) result.parts.push_back({std::string(analysis::component_name(c)), parts[c]});
  }
  return result;
}

Table component_table(const Target& target) {
  const analysis::OrderPath& path = *target.path;
  const bool stages = path.from_stages();
  const char* unit = stages ? "seconds" : "ratio";
  Table table;
  table.columns = {
      {"its thread was"}, {"share", true}, {stages ? "per order" : "of CPU time", true}};
  if (path.comparable()) {
    table.columns.push_back({stages ? "per order, was" : "was", true});
    table.columns.push_back({"change", true});
  }
  table.columns.push_back({"which is"});
  std::vector<std::size_t> order(analysis::kComponents);
  for (std::size_t i = 0; i < order.size(); i++) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return path.now().parts[component(a)] > path.now().parts[component(b)];
  });
  for (const std::size_t i : order) {
    const Component c = component(i);
    const double now = path.now().parts[c];
    const double before = path.before().parts[c];
    constexpr double kTold = 1e-4;
    if (!(path.share(now) >= kTold) && !(path.share(before) >= kTold)) continue;
    std::vector<Cell> row{{{std::string(analysis::component_name(c))}, Tone::none},
                          {{analysis::percent_text(path.share(now))}, Tone::none},
                          {{analysis::figure_text(now, unit)}, Tone::none}};
    if (path.comparable()) {
      // What is next to nothing of an order may grow tenfold without anybody noticing.
      const bool matters = path.share(now > before ? now - before : before - now) >= 0.02;
      row.push_back({{analysis::figure_text(before, unit)}, Tone::none});
      row.push_back({{change_text(now, before)},
                     matters ? change_tone(now, before, Worse::more) : Tone::none});
    }
    row.push_back({{kMeanings.at(i)}, Tone::quiet});
    table.rows.push_back(std::move(row));
  }
  return table;
}

// What of it was spent inside SQLite: across the parts above, not beside them.
std::string sqlite_sentence(const Facts& facts, const Target& target) {
  const analysis::OrderPath& path = *target.path;
  if (!path.from_stages() || path.now().seconds <= 0 || target.statements.empty()) return "";
  double inside = 0;
  for (const analysis::Statement& s : target.statements) inside += s.now;
  if (inside <= 0) return "";
  std::string text = "Statements of SQLite took " + analysis::seconds_text(inside) + " per order";
  const double share = path.share(inside);
  text += share <= 1 ? ", " + analysis::percent_text(share) + " of it"
                     : ", more than an order takes: most of it is outside of stages";
  std::vector<std::string> waits;
  for (const auto& [kind, words] : {std::pair{"sync", "syncs"},
                                    {"busy", "locks of other writers"},
                                    {"checkpoint", "checkpoints"}}) {
    const double seconds =
        path.per_order_now(facts.now.sum_seconds("nearzero_sqlite_wait_seconds",
                                                 {{"target", target.name}, {"kind", kind}}),
                           "sqlite");
    if (seconds > 0) waits.push_back(analysis::seconds_text(seconds) + " for " + words);
  }
  if (!waits.empty()) text += "; the service waited " + listed(waits);
  return text + ". This runs across the parts above, it does not add to them.";
}

}  // namespace

std::optional<Section> attribution_section(const Facts& facts) {
  Section section{"attribution", "Where the time went", {}};
  for (const Target& target : facts.targets) {
    const analysis::OrderPath& path = *target.path;
    if (!path.usable()) continue;
    const bool stages = path.from_stages();
    ShareBars bars{target.name + (stages ? ": time of an order by what its thread did"
                                         : ": a second on a CPU, and what it waited for beside it"),
                   "seconds",
                   {}};
    bars.bars.push_back(bar(stages ? "order" : "now", path.now().parts, false));
    if (path.comparable()) bars.bars.push_back(bar("before", path.before().parts, true));
    std::vector<analysis::StageTime> by_time = path.now().stages;
    std::stable_sort(by_time.begin(), by_time.end(),
                     [](const auto& a, const auto& b) { return a.parts.sum() > b.parts.sum(); });
    if (by_time.size() > 1) {
      for (std::size_t i = 0; i < std::min(by_time.size(), kMostStages); i++)
        bars.bars.push_back(bar("stage " + by_time[i].stage, by_time[i].parts, false));
    }
    section.blocks.emplace_back(std::move(bars));
    section.blocks.emplace_back(component_table(target));
    if (!stages)
      section.blocks.emplace_back(
          Paragraph{{"No stages are configured for " + target.name +
                     ": this is of all its threads, without the waits for work."},
                    Tone::quiet});
    const std::string sqlite = sqlite_sentence(facts, target);
    if (!sqlite.empty()) section.blocks.emplace_back(Paragraph{{sqlite}});
  }
  if (section.blocks.empty()) return std::nullopt;
  return section;
}

}  // namespace nz::report
