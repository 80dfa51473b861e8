#include "analysis/finding_ledger.h"

#include <algorithm>
#include <set>
#include <utility>

#include "analysis/finding_order.h"

namespace nz::analysis {
FindingLedger::Changes FindingLedger::observe(const std::vector<Finding>& found, double at) {
  at = std::max(at, last_);
  last_ = at;
  Changes changes;
  std::set<std::string> seen;
  for (const Finding& finding : found) {
    if (seen.insert(finding.id).second) see(finding, at, changes);
  }
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    Entry& e = entry->second;
    if (seen.contains(entry->first)) {
      ++entry;
      continue;
    }
    if (e.missed++ == 0) e.missed_since = at;
    e.seen = 0;
    const bool over = !e.open || e.missed >= options_.resolve_windows;
    if (e.open && over) resolve(e, changes);
    entry = over ? entries_.erase(entry) : std::next(entry);
  }
  forget_old(at);
  return changes;
}

void FindingLedger::see(const Finding& finding, double at, Changes& changes) {
  bool rejoined = false;
  auto entry = entries_.find(finding.id);
  if (entry == entries_.end()) {
    if (!has_room_for(finding)) {
      dropped_++;
      return;
    }
    entry = entries_.emplace(finding.id, Entry{}).first;
    entry->second.since = at;
    const auto back = std::find_if(resolved_.rbegin(), resolved_.rend(),
                                   [&](const Finding& f) { return f.id == finding.id; });
    if (back != resolved_.rend() && at - back->until <= options_.rejoin_seconds) {
      entry->second.open = true;
      entry->second.since = back->since;
      entry->second.worst = *back;
      resolved_.erase(std::next(back).base());
      rejoined = true;
    }
  }
  Entry& e = entry->second;
  e.newest = finding;
  if (e.newest.evidence.size() > options_.most_evidence) {
    e.newest.evidence.resize(options_.most_evidence);
  }
  e.newest.since = e.since;
  e.newest.until = 0;
  e.seen++;
  e.missed = 0;
  if (e.open) {
    e.newest.state = FindingState::ongoing;
    // Whoever was told that it ended has to hear that it did not.
    if (rejoined) changes.opened.push_back(e.newest);
  } else {
    e.open = e.seen >= options_.open_windows || at - e.since >= options_.open_seconds;
    if (e.open) {
      e.newest.state = FindingState::open;
      changes.opened.push_back(e.newest);
    }
  }
  if (e.worst.id.empty() || costlier(e.newest, e.worst)) e.worst = e.newest;
}

// Full: the least costly one makes room, if it is less than this one.
bool FindingLedger::has_room_for(const Finding& finding) {
  if (entries_.size() < options_.most) return true;
  const auto least = std::max_element(
      entries_.begin(), entries_.end(),
      [](const auto& a, const auto& b) { return costlier(a.second.newest, b.second.newest); });
  if (least == entries_.end() || !costlier(finding, least->second.newest)) return false;
  entries_.erase(least);
  dropped_++;
  return true;
}

void FindingLedger::resolve(Entry& entry, Changes& changes) {
  Finding f = std::move(entry.worst);
  f.state = FindingState::resolved;
  f.since = entry.since;
  f.until = entry.missed_since;
  changes.resolved.push_back(f);
  resolved_.push_back(std::move(f));
  while (resolved_.size() > options_.most) resolved_.pop_front();
}

void FindingLedger::forget_old(double at) {
  std::erase_if(resolved_, [&](const Finding& f) { return at - f.until > options_.keep_seconds; });
}

std::vector<FindingLedger::Open> FindingLedger::open() const {
  std::vector<Open> all;
  for (const auto& [id, entry] : entries_) {
    if (entry.open) all.push_back({entry.newest, entry.worst, entry.missed, entry.missed_since});
  }
  return all;
}

FindingLedger::Changes FindingLedger::restore(const std::vector<Open>& known, double seen,
                                              double now) {
  seen = std::min(seen, now);
  last_ = std::max(last_, seen);
  Changes changes;
  for (const Open& open : known) {
    Entry entry;
    entry.newest = open.newest;
    entry.worst = open.worst;
    entry.since = std::min(open.newest.since, seen);
    entry.missed = std::max(open.missed, 0);
    entry.missed_since = entry.missed > 0 ? std::min(open.missed_since, seen) : seen;
    entry.open = true;
    entry.newest.state = FindingState::ongoing;
    entry.newest.since = entry.since;
    entry.newest.until = 0;
    if (now - entry.missed_since > options_.rejoin_seconds) {
      resolve(entry, changes);
    } else if (has_room_for(entry.newest)) {
      entries_.emplace(open.newest.id, std::move(entry));
    } else {
      dropped_++;
    }
  }
  forget_old(now);
  return changes;
}

std::vector<Finding> FindingLedger::pending() const {
  std::vector<Finding> all;
  for (const auto& [id, entry] : entries_) {
    if (!entry.open) all.push_back(entry.newest);
  }
  return all;
}

std::vector<Finding> FindingLedger::findings() const {
  std::vector<Finding> all;
  std::vector<Finding> fading;
  for (const auto& [id, entry] : entries_) {
    if (entry.open) (entry.missed < options_.open_windows ? all : fading).push_back(entry.newest);
  }
  std::sort(all.begin(), all.end(), costlier);
  std::sort(fading.begin(), fading.end(), costlier);
  all.insert(all.end(), fading.begin(), fading.end());
  all.insert(all.end(), resolved_.rbegin(), resolved_.rend());
  return all;
}

}  // namespace nz::analysis
