#include "userspace/alerts/engine.h"

#include <algorithm>
#include <exception>

namespace nz::alerts {
namespace {

constexpr std::size_t kMostLabelBytes = 1024;

// With the rule's place in its file, where it has one.
std::string placed(const Rule& rule, const std::string& why) {
  return rule.source.empty() ? why : why + " (" + rule.source + ")";
}

}  // namespace

void Engine::set_rules(std::vector<Rule> rules, bool complete) {
  rules_ = std::move(rules);
  complete_ = complete;
  by_name_.clear();
  for (std::size_t i = 0; i < rules_.size(); i++) by_name_.emplace(rules_[i].name, i);
  windows_.plan(rules_);
}

const Rule* Engine::rule_of(const Instance& instance) const {
  const auto found = by_name_.find(instance.alert.rule);
  if (found == by_name_.end()) return nullptr;
  const Rule& rule = rules_[found->second];
  return rule.identity == instance.identity ? &rule : nullptr;
}

Engine::Changes Engine::step(const Facts& facts, double now) {
  step_ = stepped_ ? std::clamp(now - last_, 0.0, options_.longest_step) : 0;
  clock_ += step_;
  last_ = now;
  stepped_ = true;
  unknown_.clear();
  unjudged_.clear();
  over_.clear();
  for (auto& [key, instance] : instances_) instance.visited = false;

  Changes changes;
  windows_.begin(facts, now);
  for (const Rule& rule : rules_) {
    const Judging with{facts, windows_, now, [this, &rule](const std::string& key) {
                         const auto found = instances_.find({rule.name, key});
                         return found != instances_.end() &&
                                found->second.alert.state == State::firing;
                       }};
    try {
      judge_rule(rule, with, changes);
    } catch (const std::exception& e) {
      failures_++;
      unjudged_.insert(rule.name);
      unknown_.push_back(
          {rule.name, placed(rule, std::string("it could not be judged: ") + e.what())});
    }
  }
  for (auto& [key, instance] : instances_) {
    if (instance.visited || (!complete_ && !by_name_.contains(key.first))) continue;
    let_go(key, instance, rule_of(instance), !unjudged_.contains(key.first), now, changes);
  }
  for (const Key& key : over_) instances_.erase(key);
  forget();
  return changes;
}

void Engine::judge_rule(const Rule& rule, const Judging& with, Changes& changes) {
  Verdict verdict = judge(rule, with);
  if (!verdict.known) unjudged_.insert(rule.name);
  if (!verdict.known || !verdict.unknown.empty())
    unknown_.push_back({rule.name, placed(rule, verdict.unknown)});
  for (const Observation& seen : verdict.observations) {
    if (seen.known) {
      hold(rule, seen, with.now, changes);
      continue;
    }
    const auto found = instances_.find({rule.name, seen.key});
    if (found == instances_.end() || found->second.identity != rule.identity) continue;
    found->second.visited = true;
    let_go(found->first, found->second, &rule, false, with.now, changes);
  }
}

// The condition holds now.
void Engine::hold(const Rule& rule, const Observation& seen, double now, Changes& changes) {
  const Key key{rule.name, seen.key};
  auto found = instances_.find(key);
  if (found != instances_.end() && found->second.identity != rule.identity) {
    if (found->second.alert.state == State::firing) resolve(found->second, now, changes);
    instances_.erase(found);
    found = instances_.end();
  }
  if (found == instances_.end()) {
    if (!make_room()) {
      dropped_++;
      return;
    }
    found = instances_.emplace(key, Instance{}).first;
    begin(found->second, rule, seen, now);
  } else if (found->second.alert.state == State::resolved) {
    begin(found->second, rule, seen, now);
  } else if (found->second.alert.state == State::pending) {
    found->second.held += step_;
  }
  Instance& instance = found->second;
  instance.visited = true;
  instance.gone = 0;
  instance.unknown = 0;
  instance.alert.value = seen.value;
  instance.alert.unit = seen.unit;
  describe(instance, rule, seen);
  if (instance.alert.state == State::pending && instance.held >= rule.wait())
    fire(instance, now, changes);
}

void Engine::begin(Instance& instance, const Rule& rule, const Observation& seen, double now) {
  Alert& alert = instance.alert;
  instance.identity = rule.identity;
  instance.held = instance.gone = instance.unknown = 0;
  alert.rule = rule.name;
  alert.kind = rule.kind;
  alert.severity = seen.severity;
  alert.state = State::pending;
  alert.receivers = rule.receivers;
  alert.active_since = seen.since > 0 ? std::min(seen.since, now) : now;
  alert.fired_at = alert.resolved_at = 0;
  // Fixed from now on: Alertmanager knows an alert by its labels.
  std::map<std::string, std::string> labels(seen.labels.begin(), seen.labels.end());
  for (const auto& [name, value] : rule.labels) labels[name] = value;
  labels["alertname"] = rule.name;
  labels["severity"] = word(seen.severity);
  alert.labels.clear();
  for (const auto& [name, value] : labels)
    alert.labels.emplace_back(name, plain_text(value, kMostLabelBytes));
}

void Engine::describe(Instance& instance, const Rule& rule, const Observation& seen) const {
  Alert& alert = instance.alert;
  Fields fields = seen.fields;
  for (const auto& [name, value] : alert.labels) fields["labels." + name] = value;
  fields["rule"] = rule.name;
  fields["severity"] = word(alert.severity);
  fields["since"] = time_of_day(alert.active_since);
  fields["host"] = options_.host;
  alert.annotations.clear();
  for (const auto& [name, text] : rule.annotations)
    alert.annotations.emplace_back(name, text.fill(fields));
}

void Engine::fire(Instance& instance, double now, Changes& changes) {
  instance.fires.push_back(clock_);
  while (!instance.fires.empty() && clock_ - instance.fires.front() > options_.flap_window)
    instance.fires.pop_front();
  instance.alert.state = State::firing;
  instance.alert.fired_at = now;
  instance.alert.flapping = static_cast<int>(instance.fires.size()) >= options_.flap_fires;
  changes.fired.push_back(instance.alert);
}

// The condition does not hold now, or nobody knows. `rule` null: it is gone, or another one.
void Engine::let_go(const Key& key, Instance& instance, const Rule* rule, bool known, double now,
                    Changes& changes) {
  switch (instance.alert.state) {
    case State::pending:
      if (known || rule == nullptr) over_.push_back(key);
      return;
    case State::resolved:
      return;
    case State::firing:
      break;
  }
  if (rule == nullptr) {
    resolve(instance, now, changes);
  } else if (known) {
    instance.gone += step_;
    const double hold = instance.alert.flapping
                            ? std::max(options_.flap_hold, rule->keep_firing_seconds)
                            : rule->keep_firing_seconds;
    if (instance.gone >= hold) resolve(instance, now, changes);
  } else {
    instance.unknown += step_;
    if (instance.unknown >= options_.most_unknown) resolve(instance, now, changes);
  }
}

void Engine::resolve(Instance& instance, double now, Changes& changes) {
  instance.alert.state = State::resolved;
  instance.alert.resolved_at = now;
  instance.ended = clock_;
  changes.resolved.push_back(instance.alert);
}

// Full: a resolved one makes room, the oldest first. What fires is never given up.
bool Engine::make_room() {
  if (instances_.size() < options_.most) return true;
  auto oldest = instances_.end();
  for (auto i = instances_.begin(); i != instances_.end(); ++i) {
    if (i->second.alert.state != State::resolved || i->second.visited) continue;
    if (oldest == instances_.end() || i->second.ended < oldest->second.ended) oldest = i;
  }
  if (oldest == instances_.end()) return false;
  instances_.erase(oldest);
  return true;
}

void Engine::forget() {
  std::erase_if(instances_, [this](const auto& pair) {
    return pair.second.alert.state == State::resolved &&
           clock_ - pair.second.ended > std::max(options_.flap_window, options_.list_resolved);
  });
}

std::vector<Alert> Engine::alerts() const {
  std::vector<Alert> all;
  for (const auto& [key, instance] : instances_) {
    if (instance.alert.state == State::resolved && clock_ - instance.ended > options_.list_resolved)
      continue;
    all.push_back(instance.alert);
  }
  const auto rank = [](const Alert& a) {
    return a.state == State::firing ? 0 : a.state == State::pending ? 1 : 2;
  };
  std::stable_sort(all.begin(), all.end(), [&](const Alert& a, const Alert& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    return a.active_since > b.active_since;
  });
  return all;
}

}  // namespace nz::alerts
