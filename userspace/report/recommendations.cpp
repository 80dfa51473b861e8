#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "analysis/text.h"
#include "userspace/report/sections.h"

namespace nz::report {
namespace {

constexpr std::size_t kMost = 20;

struct Advice {
  int rank = 0;     ///< what goes on before what is over, that before what only helps measuring
  double gain = 0;  ///< share of an order's time, at most
  Text text;
};

std::string gain_text(double gain, double seconds) {
  std::string text = analysis::percent_text(gain) + " of an order's time";
  return seconds > 0 ? text + ", " + analysis::seconds_text(seconds) + " of each" : text;
}

void add_troubles(const Facts& facts, std::vector<Advice>& all) {
  for (const Trouble& trouble : facts.troubles) {
    const analysis::Finding& f = *trouble.finding;
    if (f.recommendation.empty()) continue;
    Advice advice;
    advice.rank = trouble.over ? 2 : 0;
    advice.gain = f.impact > 0 ? f.impact : 0;
    if (f.impact > 0) {
      advice.text.strong((trouble.over ? "Over, was " : "Up to ") +
                         gain_text(f.impact, f.impact_seconds));
    } else {
      advice.text.strong(trouble.over ? "Over, cost orders nothing" : "Before orders feel it");
    }
    advice.text.plain(": " + sentence(shortened(f.title, 300)) + ' ' +
                      sentence(shortened(f.recommendation, 1000)));
    all.push_back(std::move(advice));
  }
}

// What a finding recommends already is not told again.
bool told(const Facts& facts, const std::string& advice) {
  const auto end =
      facts.troubles.begin() + static_cast<std::ptrdiff_t>(std::min(facts.troubles.size(), kMost));
  return std::any_of(facts.troubles.begin(), end, [&](const Trouble& t) {
    return t.finding->recommendation.find(advice) != std::string::npos;
  });
}

const Target* target_of(const Facts& facts, const analysis::SlowStatement& slow) {
  const Target* target = facts.target(slow.target);
  return target != nullptr && target->path->usable() ? target : nullptr;
}

// Share of an order's time that all statements of this kind take.
double share_of(const Facts& facts, const analysis::SlowStatement& slow) {
  const Target* target = target_of(facts, slow);
  if (target == nullptr) return 0;
  for (const analysis::Statement& s : target->statements) {
    if (s.digest == slow.digest) return std::clamp(target->path->share(s.now), 0.0, 1.0);
  }
  return 0;
}

// Share of an order's time that the service waits for what this statement waited for most.
double share_of_wait(const Facts& facts, const analysis::SlowStatement& slow) {
  const Target* target = target_of(facts, slow);
  if (target == nullptr) return 0;
  const char* kind = slow.checkpoint >= std::max(slow.sync, slow.busy) ? "checkpoint"
                     : slow.sync >= slow.busy                          ? "sync"
                                                                       : "busy";
  const double seconds = facts.now.sum_seconds("nearzero_sqlite_wait_seconds",
                                               {{"target", slow.target}, {"kind", kind}});
  return std::clamp(target->path->share(target->path->per_order_now(seconds, "sqlite")), 0.0, 1.0);
}

// What makes two pieces of advice the same: figures of the single statement come after the colon.
std::string key_of(const std::string& line) { return line.substr(0, line.find(": ")); }

void add_advice(const analysis::SlowStatement& slow, const std::string& line, double share,
                const char* what, std::vector<Advice>& all) {
  // Less is no reason of its own to touch a database.
  const bool noticed = share >= 0.01;
  Advice advice;
  advice.rank = 1;
  advice.gain = noticed ? share : 0;
  advice.text.strong(noticed
                         ? "Up to " + analysis::percent_text(share) + " of an order's time, " + what
                         : "For single slow statements");
  advice.text.plain(": in " + shortened(slow.target, 60) + ", ");
  advice.text.append(advice_text(line)).plain(" For: ").code(shortened(slow.sql, 200));
  all.push_back(std::move(advice));
}

void add_statements(const Facts& facts, std::vector<Advice>& all) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const analysis::SlowStatement& slow : facts.in.details.slow_statements) {
    if (slow.at < facts.in.from || slow.at > facts.in.to) continue;
    if (seen.size() >= 10 * kMost) break;  // the newest are first
    const auto fresh = [&](const std::string& line) {
      return seen.emplace(slow.target, key_of(line)).second && !told(facts, line);
    };
    for (const std::string& line : slow.advice) {
      if (fresh(line))
        add_advice(slow, line, share_of(facts, slow), "all that such statements take", all);
    }
    for (const std::string& line : slow.settings) {
      if (fresh(line))
        add_advice(slow, line, share_of_wait(facts, slow), "all that it waits for this", all);
    }
  }
}

void add_limits(const Facts& facts, std::vector<Advice>& all) {
  if (!facts.in.extras.forecasts) return;
  for (const Forecast& f : *facts.in.extras.forecasts) {
    if (!f.likeliest) continue;
    Advice advice;
    advice.rank = 1;
    advice.text.strong("By " + time_text(f.earliest.value_or(*f.likeliest)))
        .plain(": " + shortened(f.what, 100) + " reaches " +
               analysis::figure_text(f.limit, f.of.unit) + " then at the earliest (now " +
               analysis::figure_text(f.value, f.of.unit) + "); make room or stop its growth.");
    all.push_back(std::move(advice));
  }
}

void add_measurement(const Facts& facts, std::vector<Advice>& all) {
  for (const UnattachedProbe& u : facts.in.unattached) {
    Advice advice;
    advice.rank = 3;
    advice.text.strong("To see more")
        .plain(": attach " + shortened(u.probe, 100) +
               (u.target.empty() ? "" : " of " + shortened(u.target, 60)) +
               "; now it is not, because " + sentence(shortened(u.reason, 500)));
    all.push_back(std::move(advice));
  }
}

}  // namespace

std::optional<Section> recommendations_section(const Facts& facts) {
  std::vector<Advice> all;
  add_troubles(facts, all);
  add_statements(facts, all);
  add_limits(facts, all);
  add_measurement(facts, all);
  if (all.empty()) return std::nullopt;
  std::stable_sort(all.begin(), all.end(), [](const Advice& a, const Advice& b) {
    return std::tuple(a.rank, -a.gain) < std::tuple(b.rank, -b.gain);
  });
  Section section{"recommendations", "What to do, by expected gain", {}};
  Bullets bullets{true, {}};
  for (Advice& advice : all) {
    if (bullets.items.size() < kMost) bullets.items.push_back(std::move(advice.text));
  }
  section.blocks.emplace_back(std::move(bullets));
  if (all.size() > kMost) {
    section.blocks.emplace_back(Paragraph{
        {counted(static_cast<double>(all.size() - kMost), "further one is", "further ones are") +
         " left out."}});
  }
  section.blocks.emplace_back(Paragraph{
      {"A gain is what orders would be shorter by if the cause were gone (Amdahl's bound); "
       "gains do not add up to more than the whole."},
      Tone::quiet});
  return section;
}

}  // namespace nz::report
