#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "analysis/text.h"
#include "userspace/report/sections.h"

namespace nz::report {
namespace {

using analysis::SlowStatement;
using analysis::Statement;

constexpr std::size_t kMostStatements = 15, kMostStatementCards = 10;
constexpr std::size_t kLongestRow = 160, kLongestText = 4000;

Table statement_table(const Facts& facts, const Target& target) {
  Table table;
  table.title = target.name;
  table.columns = {{"statement"},       {"per second", true}, {"mean", true}, {"p99", true},
                   {"rows each", true}, {"time", true},       {"share", true}};
  if (facts.compared) {
    table.columns.push_back({"mean was", true});
    table.columns.push_back({"change", true});
  }
  const double observed = facts.now.observed("sqlite", target.name);
  double all = 0;
  for (const Statement& s : target.statements) all += s.count * s.mean_now;
  for (const Statement& s : target.statements) {
    if (table.rows.size() == kMostStatements) {
      table.note = counted(static_cast<double>(target.statements.size() - kMostStatements),
                           "shorter one is", "shorter ones are") +
                   " left out.";
      break;
    }
    const analysis::Histogram inside =
        facts.now.histogram("nearzero_sqlite_statement_duration_seconds",
                            {{"target", target.name}, {"digest", s.digest}});
    const double seconds = s.count * s.mean_now;
    std::vector<Cell> row{
        {code(shortened(s.text, kLongestRow)), Tone::none},
        {{analysis::number_text(observed > 0 ? s.count / observed : 0)}, Tone::none},
        {{analysis::seconds_text(s.mean_now)}, Tone::none},
        {{figure_or_dash(inside.quantile(0.99), "seconds")}, Tone::none},
        {{analysis::number_text(s.rows)}, Tone::none},
        {{analysis::seconds_text(seconds)}, Tone::none},
        {{analysis::percent_text(all > 0 ? seconds / all : 0)}, Tone::none}};
    if (facts.compared) {
      const double before = s.mean_before > 0 ? s.mean_before : NAN;
      row.push_back({{figure_or_dash(before, "seconds")}, Tone::none});
      row.push_back(
          {{change_text(s.mean_now, before)}, change_tone(s.mean_now, before, Worse::more)});
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

// Of each statement the slowest in the range, the slowest first.
std::vector<const SlowStatement*> slowest(const Facts& facts, std::size_t& seen) {
  std::map<std::pair<std::string, std::string>, const SlowStatement*> by_digest;
  for (const SlowStatement& s : facts.in.details.slow_statements) {
    if (s.at < facts.in.from || s.at > facts.in.to) continue;
    seen++;
    const SlowStatement*& best = by_digest[{s.target, s.digest.empty() ? s.sql : s.digest}];
    // With advice rather than without; of these the slowest.
    const auto rank = [](const SlowStatement& x) {
      return std::tuple(!x.advice.empty(), x.inside);
    };
    if (best == nullptr || rank(s) > rank(*best)) best = &s;
  }
  std::vector<const SlowStatement*> found;
  for (const auto& [key, s] : by_digest) found.push_back(s);
  std::stable_sort(found.begin(), found.end(),
                   [](const auto* a, const auto* b) { return a->inside > b->inside; });
  return found;
}

Card card_of(const Facts& facts, const SlowStatement& s) {
  using analysis::seconds_text;
  Card card;
  card.title = code(shortened(s.sql, 100));
  card.badges = {seconds_text(s.inside)};
  std::string text = shortened(s.target, 60) + " at " + facts.clock.at(s.at);
  if (!s.stage.empty()) text += " in stage " + shortened(s.stage, 60);
  if (!s.database.empty()) text += " on " + shortened(s.database, 200);
  text += ": " + seconds_text(s.inside) + " inside SQLite";
  if (s.open > s.inside * 1.01) text += ", open for " + seconds_text(s.open);
  text += "; " + counted(static_cast<double>(s.rows), "row", "rows");
  std::vector<std::string> waits;
  if (s.busy > 0) waits.push_back(seconds_text(s.busy) + " for locks of others");
  if (s.sync > 0) waits.push_back(seconds_text(s.sync) + " for syncs");
  if (s.checkpoint > 0) waits.push_back(seconds_text(s.checkpoint) + " for a checkpoint");
  if (!waits.empty()) text += "; of it waited " + listed(waits);
  if (s.sync > 0 && s.checkpoint > 0) text += " (the syncs of a checkpoint are in both)";
  // 100 and 101 are SQLITE_ROW and SQLITE_DONE.
  if (s.result != 0 && s.result != 100 && s.result != 101)
    text += "; it ended with error " + std::to_string(s.result);
  card.paragraphs.emplace_back(text + ".");
  if (s.sql.size() > 100 || s.sql.find('\n') != std::string::npos)
    card.verbatim.push_back({"statement", shortened(s.sql, kLongestText)});
  if (!s.plan.empty()) card.verbatim.push_back({"plan", shortened(s.plan, kLongestText)});
  for (const auto* list : {&s.advice, &s.settings}) {
    for (const std::string& line : *list) {
      if (!card.action.empty()) card.action.plain(" ");
      card.action.append(advice_text(line));
    }
  }
  return card;
}

}  // namespace

std::optional<Section> statements_section(const Facts& facts) {
  Section section{"statements", "SQLite statements", {}};
  for (const Target& target : facts.targets) {
    if (!target.statements.empty()) section.blocks.emplace_back(statement_table(facts, target));
  }
  std::size_t seen = 0;
  const auto slow = slowest(facts, seen);
  if (!slow.empty()) {
    section.blocks.emplace_back(Paragraph{
        {counted(static_cast<double>(seen), "single statement was", "single statements were") +
         " over the threshold and looked at; the slowest of each kind:"}});
    for (std::size_t i = 0; i < std::min(slow.size(), kMostStatementCards); i++)
      section.blocks.emplace_back(card_of(facts, *slow[i]));
    if (slow.size() > kMostStatementCards)
      section.blocks.emplace_back(
          Paragraph{{counted(static_cast<double>(slow.size() - kMostStatementCards),
                             "further kind is", "further kinds are") +
                     " left out."}});
  }
  if (section.blocks.empty()) return std::nullopt;
  return section;
}

}  // namespace nz::report
