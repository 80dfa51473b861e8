#include "userspace/alerts/outbox.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/text.h"
#include "userspace/alerts/measure.h"

namespace nz::alerts {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

bool Outbox::Group::has_news() const {
  return std::any_of(items.begin(), items.end(), [](const auto& i) { return i.second.is_news(); });
}

bool Outbox::Group::has_anything_to_tell() const {
  return std::any_of(items.begin(), items.end(), [](const auto& i) { return !i.second.is_mute(); });
}

void Outbox::update(const std::vector<Alert>& alerts, double now) {
  // A clock that was set back would silence everything until it is where it was.
  if (last_ > 0 && now < last_) shift(now - last_);
  last_ = now;
  for (auto& [name, group] : groups_) {
    // Saved by a clock that was ahead: it would be waited for until the clock is there again.
    group.told = std::min(group.told, now);
    for (auto& [fingerprint, item] : group.items) {
      item.resolved_told_at = std::min(item.resolved_told_at, now);
      item.seen = false;
    }
  }
  // Firing ones last: of two with the same labels the one that fires counts.
  for (const State state : {State::resolved, State::firing}) {
    for (const Alert& alert : alerts) {
      if (alert.state == state) take(alert, now);
    }
  }
  for (auto& [name, group] : groups_) {
    for (auto& [fingerprint, item] : group.items) {
      if (item.seen || item.alert.state == State::resolved) continue;
      item.alert.state = State::resolved;
      item.alert.resolved_at = now;
    }
  }
  sweep(now);
}

void Outbox::take(const Alert& alert, double now) {
  const analysis::Labels labels = group_labels(alert.labels, options_.group_by, false);
  const std::string name = analysis::selector("", labels);
  const std::string fingerprint = alert.fingerprint();
  const auto group = groups_.find(name);
  const bool known = group != groups_.end() && group->second.items.contains(fingerprint);
  if (!known) {
    // Its end was told, or nobody has heard of it.
    if (alert.state == State::resolved || !alert.silenced_by.empty()) return;
    if (size_ >= options_.most) {
      dropped_++;
      return;
    }
    size_++;
  }
  Group& into = groups_[name];
  into.labels = labels;
  Item& item = into.items[fingerprint];
  item.alert = alert;
  item.seen = true;
  if (alert.state == State::firing) item.resolved_told_at = 0;
  if (into.changed == 0 && item.is_news()) into.changed = now;
}

void Outbox::shift(double seconds) {
  for (auto& [name, group] : groups_) {
    for (double* time : {&group.changed, &group.told, &group.retry}) {
      if (*time > 0) *time = std::max(1e-3, *time + seconds);
    }
    for (auto& [fingerprint, item] : group.items) {
      if (item.resolved_told_at > 0)
        item.resolved_told_at = std::max(1e-3, item.resolved_told_at + seconds);
    }
  }
}

bool Outbox::is_over(const Item& item, double now) const {
  if (item.alert.state != State::resolved) return false;
  if (!options_.send_resolved) return true;
  // It was silenced from its beginning to its end.
  if (!item.told && !item.alert.silenced_by.empty()) return true;
  return item.resolved_told_at > 0 && now - item.resolved_told_at >= options_.retain_resolved;
}

void Outbox::sweep(double now) {
  for (auto& [name, group] : groups_) {
    size_ -= std::erase_if(group.items, [&](const auto& i) { return is_over(i.second, now); });
    const bool news = group.has_news();
    if (!news) group.changed = 0;
    if (news && group.changed == 0) group.changed = now;
  }
  std::erase_if(groups_, [](const auto& g) { return g.second.items.empty(); });
}

double Outbox::due_at(const Group& group) const {
  double at = kNever;
  if (group.changed > 0) {
    at = group.changed + options_.wait;
    if (group.told > 0) at = std::max(at, group.told + options_.interval);
  }
  if (group.told > 0 && group.has_anything_to_tell())
    at = std::min(at, group.told + options_.repeat);
  return std::max(at, group.retry);
}

std::optional<Outbox::Message> Outbox::due(double now) const {
  const Group* first = nullptr;
  const std::string* name = nullptr;
  double earliest = kNever;
  for (const auto& [key, group] : groups_) {
    const double at = due_at(group);
    if (at > now || at >= earliest) continue;
    earliest = at;
    first = &group;
    name = &key;
  }
  if (first == nullptr) return std::nullopt;
  Message message{*name, first->labels, {}};
  for (const auto& [fingerprint, item] : first->items) {
    if (!item.is_mute()) message.alerts.push_back(item.alert);
  }
  // People find their way by names, not by fingerprints.
  std::sort(message.alerts.begin(), message.alerts.end(), [](const Alert& a, const Alert& b) {
    if (a.state != b.state) return a.state == State::firing;
    return a.labels < b.labels;
  });
  if (message.alerts.empty()) return std::nullopt;
  return message;
}

double Outbox::next() const {
  double next = kNever;
  for (const auto& [name, group] : groups_) {
    if (group.has_anything_to_tell()) next = std::min(next, due_at(group));
  }
  return next;
}

void Outbox::delivered(const Message& message, double now) {
  const auto found = groups_.find(message.group);
  if (found == groups_.end()) return;
  Group& group = found->second;
  for (const Alert& alert : message.alerts) {
    const auto item = group.items.find(alert.fingerprint());
    if (item == group.items.end()) continue;
    item->second.told = alert.state;
    item->second.told_fired_at = alert.fired_at;
    const bool ended = alert.state == State::resolved && item->second.alert.state == alert.state;
    if (ended && item->second.resolved_told_at == 0) item->second.resolved_told_at = now;
  }
  group.told = now;
  group.retry = 0;
  group.failures = 0;
  group.changed = 0;  // what came while it was under way is news from now on: sweep()
  sweep(now);
}

void Outbox::failed(const Message& message, double now, double chance) {
  const auto found = groups_.find(message.group);
  if (found == groups_.end()) return;
  Group& group = found->second;
  const double pause = std::min(options_.longest_retry,
                                options_.first_retry * std::pow(2.0, std::min(group.failures, 20)));
  group.failures++;
  // Half of it is certain, half is chance: agents that lost the same receiver come back apart.
  group.retry = now + pause * (0.5 + 0.5 * std::clamp(chance, 0.0, 1.0));
}

std::size_t Outbox::waiting() const {
  std::size_t count = 0;
  for (const auto& [name, group] : groups_) {
    for (const auto& [fingerprint, item] : group.items) count += item.is_news() ? 1 : 0;
  }
  return count;
}

}  // namespace nz::alerts
