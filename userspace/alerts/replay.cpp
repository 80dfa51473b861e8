#include "userspace/alerts/replay.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "userspace/history/history.h"

namespace nz::alerts {
namespace {

constexpr std::size_t kMostMomentProblems = 20;
constexpr std::size_t kMostHistory = std::size_t{512} << 20;
// Drains come some milliseconds early or late: every other one would be too early for a step.
constexpr double kAlmost = 0.95;

}  // namespace

double longest_window(const std::vector<Rule>& rules) {
  double longest = 60;
  const auto take = [&longest](double seconds) { longest = std::max(longest, seconds); };
  for (const Rule& rule : rules) {
    if (const auto* c = std::get_if<Threshold>(&rule.condition)) take(c->of.window);
    if (const auto* c = std::get_if<Ratio>(&rule.condition)) take(c->of.window);
    if (const auto* c = std::get_if<Degradation>(&rule.condition)) take(c->of.window);
    if (const auto* c = std::get_if<Absence>(&rule.condition)) take(c->window);
    if (const auto* c = std::get_if<BurnRate>(&rule.condition)) {
      for (const auto& window : c->windows) take(window.length);
    }
  }
  return longest;
}

std::set<std::string> families_of(const std::vector<Rule>& rules) {
  std::set<std::string> names;
  for (const Rule& rule : rules) {
    if (const auto* c = std::get_if<Threshold>(&rule.condition)) names.insert(c->of.series.name);
    if (const auto* c = std::get_if<Ratio>(&rule.condition))
      names.insert({c->of.series.name, c->to.series.name});
    if (const auto* c = std::get_if<Degradation>(&rule.condition)) names.insert(c->of.series.name);
    if (const auto* c = std::get_if<Absence>(&rule.condition)) names.insert(c->series.name);
    if (const auto* c = std::get_if<BurnRate>(&rule.condition))
      names.insert({c->series.name, c->bad.name, c->total.name});
  }
  return names;
}

namespace {

/// What a rule has to find, so that it can judge. Absence is about what is not there; what
/// forecasts, detection and baselines give has no samples in a recording.
std::vector<Selector> selectors_of(const Rule& rule) {
  if (const auto* c = std::get_if<Threshold>(&rule.condition)) return {c->of.series};
  if (const auto* c = std::get_if<Ratio>(&rule.condition)) return {c->to.series};
  if (const auto* c = std::get_if<Degradation>(&rule.condition)) return {c->of.series};
  if (const auto* c = std::get_if<BurnRate>(&rule.condition))
    return {c->of_values() ? c->series : c->total};
  return {};
}

/// Rules on lists of which history may lack an entry that would have fired. With windows it is
/// another thing: each lacks its first half after a start, which nobody has to be told.
std::set<std::string> rules_on_lists(const std::vector<Rule>& rules) {
  std::set<std::string> names;
  for (const Rule& rule : rules) {
    if (std::holds_alternative<RegressionFound>(rule.condition) ||
        std::holds_alternative<AnomalyFound>(rule.condition) ||
        std::holds_alternative<BottleneckFound>(rule.condition))
      names.insert(rule.name);
  }
  return names;
}

/// Selectors that no series has matched yet.
class Unmatched {
 public:
  explicit Unmatched(const std::vector<Rule>& rules) {
    for (const Rule& rule : rules) {
      for (Selector& one : selectors_of(rule)) waiting_.push_back({&rule, std::move(one)});
    }
  }
  void look(const std::vector<metrics::Family>& families) {
    std::erase_if(waiting_, [&](const Waiting& one) {
      return std::any_of(families.begin(), families.end(), [&](const metrics::Family& f) {
        return (one.selector.name.empty() || f.name == one.selector.name) &&
               std::any_of(f.samples.begin(), f.samples.end(), [&](const metrics::Sample& s) {
                 return one.selector.matches(f.name, s.labels);
               });
      });
    });
  }
  /// By rule, why it could not be judged.
  [[nodiscard]] std::map<std::string, std::string> reasons_by_rule() const {
    std::map<std::string, std::string> reasons;
    for (const Waiting& one : waiting_) {
      std::string& why = reasons[one.rule->name];
      why = "no series of this recording matches " + one.selector.text();
      if (!one.rule->source.empty()) why += " (" + one.rule->source + ")";
    }
    return reasons;
  }

 private:
  struct Waiting {
    const Rule* rule;
    Selector selector;
  };
  std::vector<Waiting> waiting_;
};

history::History::Options history_options(const std::vector<Rule>& rules, double interval) {
  history::History::Options options;
  options.resolution = interval;
  options.length = longest_window(rules) + 60;
  options.most_bytes = kMostHistory;
  return options;
}

/// What a recording has said last of what is not in families.
struct Lists {
  std::optional<std::vector<analysis::Finding>> findings;
  std::optional<std::vector<analysis::Regression>> regressions;
  std::optional<std::vector<analysis::Incident>> incidents;
  std::optional<std::vector<analysis::LimitForecast>> forecasts;
  std::vector<RecordedBaseline> baselines;
  Gaps gaps;

  void take(Moment& moment) {
    if (moment.findings) findings = std::move(moment.findings);
    if (moment.regressions) regressions = std::move(moment.regressions);
    if (moment.incidents) incidents = std::move(moment.incidents);
    if (moment.baselines) baselines = std::move(*moment.baselines);
    if (moment.forecasts) forecasts = std::move(moment.forecasts);
    gaps = std::move(moment.gaps);
  }
  [[nodiscard]] std::optional<BaselineValue> baseline(const analysis::Quantity& of,
                                                      const std::string& name) const {
    for (const RecordedBaseline& one : baselines) {
      if (one.name == name && one.of.name == of.name && one.of.statistic == of.statistic &&
          analysis::has_labels(of.labels, one.of.labels))
        return one.value;
    }
    return std::nullopt;
  }
};

/// Alerts from their firing to their end, in order.
class Log {
 public:
  void take(const Engine::Changes& changes) {
    // First what ended: an alert may end and fire anew in one step.
    for (const Alert& alert : changes.resolved) {
      const auto found = open_.find(alert.fingerprint());
      if (found == open_.end()) continue;  // fired before `from`
      const double fired = all_[found->second].fired_at;
      all_[found->second] = alert;
      all_[found->second].fired_at = fired;
      open_.erase(found);
    }
    for (const Alert& alert : changes.fired) {
      open_[alert.fingerprint()] = all_.size();
      all_.push_back(alert);
    }
  }
  [[nodiscard]] std::vector<Alert> all() && { return std::move(all_); }

 private:
  std::vector<Alert> all_;
  std::map<std::string, std::size_t> open_;
};

}  // namespace

Replayed replay(const std::vector<Rule>& rules, Moments& moments, const ReplayOptions& options) {
  Replayed out;
  Engine::Options engine_options;
  // A recording may have a point a minute or an hour: then those are the steps.
  engine_options.longest_step = 3600;
  Engine engine(engine_options);
  engine.set_rules(rules);
  history::History history(history_options(rules, options.interval));
  const std::set<std::string> wanted = families_of(rules);
  Limits limits({});
  limits.want(rules);
  Lists lists;
  Unmatched unmatched(rules);
  HistoryFacts facts(history);
  Log log;
  const std::set<std::string> on_lists = rules_on_lists(rules);
  std::map<std::string, JudgedInPart> in_part;  // by rule
  std::map<std::string, std::string> never;     // rules not judged yet, and why
  for (const Rule& rule : rules) never[rule.name] = "there was nothing to judge";
  double last_step = 0;
  for (;;) {
    auto moment = moments.next();
    if (options.progress) options.progress(moments.done());
    if (!moment) {
      out.bad_lines++;
      if (out.problems.size() < kMostMomentProblems) out.problems.push_back(moment.error().text());
      continue;
    }
    if (!*moment) break;
    Moment& now = **moment;
    if (options.to > 0 && now.at > options.to) break;
    out.moments++;
    if (now.families) {
      std::erase_if(*now.families, [&](const auto& f) { return !wanted.contains(f.name); });
      unmatched.look(*now.families);
      history.add(now.at, *now.families);
    }
    lists.take(now);
    const double since = now.at - last_step;
    if (now.at < options.from || (since >= 0 && since < options.interval * kAlmost)) continue;
    if (out.steps == 0) out.from = now.at;
    out.to = last_step = now.at;
    out.steps++;
    facts.set_gaps(lists.gaps);
    facts.set_findings(lists.findings ? &*lists.findings : nullptr);
    facts.set_regressions(lists.regressions ? &*lists.regressions : nullptr);
    facts.set_incidents(lists.incidents ? &*lists.incidents : nullptr);
    if (options.trends && limits.step(now.at, options.trends)) lists.forecasts = limits.forecasts();
    facts.set_forecasts(lists.forecasts ? &*lists.forecasts : nullptr);
    facts.set_baseline([&](const analysis::Quantity& of, const std::string& name, double at) {
      const auto recorded = lists.baseline(of, name);
      return recorded || !options.baseline ? recorded : options.baseline(of, name, at);
    });
    log.take(engine.step(facts, now.at));
    std::map<std::string, std::string> unknown;
    for (const Engine::Unknown& one : engine.unknown()) {
      unknown[one.rule] = one.why;
      if (!on_lists.contains(one.rule)) continue;
      in_part.try_emplace(one.rule, JudgedInPart{one.rule, one.why, now.at, 0})
          .first->second.steps++;
    }
    std::erase_if(never, [&](const auto& pair) { return !unknown.contains(pair.first); });
    for (auto& [rule, why] : never) why = unknown[rule];
  }
  out.alerts = std::move(log).all();
  for (const Alert& alert : out.alerts) never.erase(alert.rule);  // in part it was judged
  if (out.steps > 0) {
    for (const auto& [rule, why] : unmatched.reasons_by_rule()) never[rule] = why;
  }
  for (const auto& [rule, why] : never) out.unknown.push_back({rule, why});
  for (auto& [rule, part] : in_part) {
    if (!never.contains(rule)) out.in_part.push_back(std::move(part));
  }
  return out;
}

}  // namespace nz::alerts
