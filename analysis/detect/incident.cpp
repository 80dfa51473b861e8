#include "analysis/detect/incident.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>
#include <tuple>
#include <utility>

namespace nz::analysis {
namespace {

struct Prefix {
  std::string_view text;
  Layer layer;
};
// What a target itself takes (its CPU time, its memory) is more often what it does about its
// trouble than the trouble, so it counts as its calls do.
constexpr std::array<Prefix, 24> kPrefixes = {{
    {"nearzero_host_", Layer::resource},
    {"nearzero_pressure_", Layer::resource},
    {"nearzero_disk_", Layer::resource},
    {"nearzero_block_io_", Layer::resource},
    {"nearzero_filesystem_", Layer::resource},
    {"nearzero_network_", Layer::resource},
    {"nearzero_tcp_", Layer::resource},
    {"nearzero_udp_", Layer::resource},
    {"nearzero_reclaim_", Layer::resource},
    {"nearzero_oom_", Layer::resource},
    {"nearzero_target_throttled_", Layer::resource},
    {"nearzero_target_cpu_quota_", Layer::resource},
    {"nearzero_runqueue_", Layer::wait},
    {"nearzero_offcpu_", Layer::wait},
    {"nearzero_oncpu_", Layer::wait},
    {"nearzero_context_switches_", Layer::wait},
    {"nearzero_blocked_", Layer::wait},
    {"nearzero_sqlite_wait_", Layer::wait},
    {"nearzero_sqlite_lock_", Layer::wait},
    {"nearzero_sqlite_wal_", Layer::wait},
    {"nearzero_syscall", Layer::call},
    {"nearzero_sqlite_", Layer::call},
    {"nearzero_target_", Layer::call},
    {"nearzero_order_", Layer::order},
}};

std::string_view name_of(Layer layer) {
  switch (layer) {
    case Layer::resource:
      return "a resource";
    case Layer::wait:
      return "a wait";
    case Layer::call:
      return "a call or statement";
    case Layer::order:
      return "an order's stage";
  }
  return "";
}

// In multiples of what was expected, whichever way.
double size_of(const Anomaly& a) {
  const double larger = std::max(std::abs(a.value), std::abs(a.expected));
  if (!(larger > 0)) return 0;
  return std::abs(a.value - a.expected) / larger;
}

double first_symptom(const std::vector<Anomaly>& members) {
  double first = std::numeric_limits<double>::infinity();
  for (const Anomaly& a : members) {
    if (layer_of(a.of) >= Layer::call) first = std::min(first, a.at);
  }
  return first;
}

Incident sorted(const Incident& incident) {
  Incident copy = incident;
  order_by_cause(copy.members);
  return copy;
}

}  // namespace

Layer layer_of(const Quantity& quantity) {
  for (const Prefix& prefix : kPrefixes) {
    if (quantity.name.starts_with(prefix.text)) return prefix.layer;
  }
  return Layer::call;
}

void order_by_cause(std::vector<Anomaly>& members, double tolerance) {
  const double symptom = first_symptom(members);
  const auto late = [&](const Anomaly& a) {
    return layer_of(a.of) < Layer::call && a.at > symptom + tolerance;
  };
  struct Key {
    bool late;
    Layer layer;
    double at, size;
    std::string name;
    std::size_t index;
  };
  std::vector<Key> keys;
  for (std::size_t i = 0; i < members.size(); i++) {
    const Anomaly& a = members[i];
    keys.push_back({late(a), layer_of(a.of), a.at, -size_of(a), text_of(a.of), i});
  }
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
    return std::tie(a.late, a.layer, a.at, a.size, a.name) <
           std::tie(b.late, b.layer, b.at, b.size, b.name);
  });
  std::vector<Anomaly> ordered;
  ordered.reserve(members.size());
  for (const Key& key : keys) ordered.push_back(std::move(members[key.index]));
  members = std::move(ordered);
}

std::string why_before(const Anomaly& first, const Anomaly& second) {
  const Layer a = layer_of(first.of), b = layer_of(second.of);
  if (a < b) {
    return std::string(name_of(a)) + ", and what is short comes before " + std::string(name_of(b)) +
           " that needs it";
  }
  if (a > b) return "the other one became unusual only afterwards";
  if (first.at < second.at) return "became unusual earlier";
  return "is farther from what was expected";
}

IncidentGrouper::Changes IncidentGrouper::observe(double at,
                                                  const std::vector<Anomaly>& anomalies) {
  at = std::max(at, last_);
  last_ = at;
  Changes changes;
  for (const Anomaly& anomaly : anomalies) {
    const std::string series = text_of(anomaly.of);
    Entry* entry = home_of(series, at);
    if (entry == nullptr) entry = rejoined(series, at, changes);
    if (entry == nullptr) {
      if (entries_.size() >= options_.most) {
        dropped_++;
        continue;
      }
      Entry fresh;
      fresh.incident.since = anomaly.at > 0 ? std::min(anomaly.at, at) : at;
      fresh.incident.id =
          std::to_string(static_cast<long long>(fresh.incident.since)) + '/' + series;
      entries_.push_back(std::move(fresh));
      entry = &entries_.back();
    }
    add(*entry, series, anomaly, at);
  }
  for (Entry& entry : entries_) {
    if (entry.open || entry.observations < options_.open_observations) continue;
    entry.open = true;
    changes.opened.push_back(sorted(entry.incident));
  }
  close_quiet(at, changes);
  return changes;
}

// The incident that a series is in, or else the newest one that it is soon enough for.
IncidentGrouper::Entry* IncidentGrouper::home_of(const std::string& series, double at) {
  for (Entry& entry : entries_) {
    if (std::find(entry.series.begin(), entry.series.end(), series) != entry.series.end()) {
      return &entry;
    }
  }
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (at - entry->last_joined <= options_.join_seconds) return &*entry;
  }
  return nullptr;
}

IncidentGrouper::Entry* IncidentGrouper::rejoined(const std::string& series, double at,
                                                  Changes& changes) {
  for (auto old = resolved_.rbegin(); old != resolved_.rend(); ++old) {
    if (at - old->incident.until > options_.rejoin_seconds) continue;
    if (std::find(old->series.begin(), old->series.end(), series) == old->series.end()) continue;
    if (entries_.size() >= options_.most) return nullptr;
    entries_.push_back(std::move(*old));
    resolved_.erase(std::next(old).base());
    Entry& entry = entries_.back();
    entry.incident.until = 0;
    entry.open = true;
    // Whoever was told that it ended has to hear that it did not.
    changes.opened.push_back(sorted(entry.incident));
    return &entry;
  }
  return nullptr;
}

void IncidentGrouper::add(Entry& entry, const std::string& series, const Anomaly& anomaly,
                          double at) {
  entry.last_seen = at;
  entry.observations++;
  const auto known = std::find(entry.series.begin(), entry.series.end(), series);
  if (known == entry.series.end()) {
    if (entry.series.size() >= options_.most_members) {
      dropped_++;
      return;
    }
    entry.series.push_back(series);
    entry.incident.members.push_back(anomaly);
    entry.last_joined = at;
    return;
  }
  Anomaly& member = entry.incident.members[static_cast<std::size_t>(known - entry.series.begin())];
  if (anomaly.score <= member.score) return;
  const double onset = member.at;
  member = anomaly;
  member.at = onset;
}

void IncidentGrouper::close_quiet(double at, Changes& changes) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (at - entry->last_seen < options_.quiet_seconds) {
      ++entry;
      continue;
    }
    if (entry->open) {
      entry->incident.until = entry->last_seen;
      changes.resolved.push_back(sorted(entry->incident));
      resolved_.push_back(std::move(*entry));
      if (resolved_.size() > options_.most) resolved_.erase(resolved_.begin());
    }
    entry = entries_.erase(entry);
  }
}

std::vector<IncidentGrouper::Open> IncidentGrouper::open() const {
  std::vector<Open> all;
  for (const Entry& entry : entries_) {
    if (entry.open) all.push_back({entry.incident, entry.last_joined, entry.last_seen});
  }
  return all;
}

IncidentGrouper::Changes IncidentGrouper::restore(const std::vector<Open>& known, double now) {
  for (const Open& open : known) {
    if (entries_.size() >= options_.most) {
      dropped_++;
      continue;
    }
    Entry entry;
    entry.incident = open.incident;
    entry.incident.since = std::min(open.incident.since, now);
    entry.incident.until = 0;
    for (const Anomaly& member : open.incident.members) entry.series.push_back(text_of(member.of));
    // The clock may have been set back meanwhile.
    entry.last_joined = std::min(open.last_joined, now);
    entry.last_seen = std::min(open.last_seen, now);
    entry.observations = options_.open_observations;
    entry.open = true;
    entries_.push_back(std::move(entry));
  }
  Changes changes;
  close_quiet(now, changes);
  return changes;
}

std::vector<Incident> IncidentGrouper::incidents() const {
  std::vector<Incident> all;
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->open) all.push_back(sorted(entry->incident));
  }
  for (auto entry = resolved_.rbegin(); entry != resolved_.rend(); ++entry) {
    all.push_back(sorted(entry->incident));
  }
  return all;
}

}  // namespace nz::analysis
