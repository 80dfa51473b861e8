#include "userspace/detected/spell_log.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

namespace nz::detected {
namespace {

bool is_open(const analysis::Regression& r) { return r.state != analysis::FindingState::resolved; }
bool is_open(const analysis::Incident& i) { return i.until == 0; }

// What rules judge by is another from now on.
bool differs(const analysis::Regression& a, const analysis::Regression& b) {
  return a.after != b.after || a.confidence != b.confidence;
}
bool differs(const analysis::Incident&, const analysis::Incident&) { return false; }

double total_score(const analysis::Incident& incident) {
  return std::accumulate(incident.members.begin(), incident.members.end(), 0.0,
                         [](double sum, const auto& member) { return sum + member.score; });
}

// There is more to tell of the same spell: rules judge by members and their scores, too.
bool grew(const analysis::Regression&, const analysis::Regression&) { return false; }
bool grew(const analysis::Incident& a, const analysis::Incident& b) {
  return a.members.size() != b.members.size() || total_score(b) > total_score(a);
}

template <class T>
std::string key_of(std::size_t place) {
  return fmt::format("{}{:03}", key_prefix<T>(), place);
}

}  // namespace

template <class T>
Result<SpellLog<T>> SpellLog<T>::open(store::Store& store) {
  const auto states = store.states(key_prefix<T>());
  if (!states) return tl::unexpected(states.error());
  SpellLog log(store);
  for (std::size_t place = 0; place < kPlaces; place++) {
    const auto saved = states->find(key_of<T>(place));
    if (saved != states->end()) log.take(saved->first, place, saved->second);
  }
  return log;
}

template <class T>
void SpellLog<T>::take(const std::string& key, std::size_t place, const std::string& saved) {
  auto spell = parse<T>(saved);
  if (!spell) {
    spdlog::warn("{} of the history cannot be read: {}", key, spell.error().text());
    return;
  }
  ended_[place] = spell->to;
  if (spell->to != 0) return;
  Open fresh{place, std::move(*spell)};
  const auto [known, is_new] = open_.try_emplace(fresh.spell.what.id, fresh);
  if (is_new) return;
  // The figures changed, and an agent died before the store took the end of the earlier one.
  Open& later = known->second;
  if (fresh.spell.from >= later.spell.from) std::swap(fresh, later);
  end(later.spell.from, std::move(fresh));
}

template <class T>
void SpellLog<T>::step(double now, const std::vector<T>& all) {
  std::erase_if(unwritten_, [this](const Open& ended) { return put(ended); });
  std::set<std::string> seen;
  for (const T& what : all) {
    const auto found = open_.find(what.id);
    if (!is_open(what)) {
      // Its last figures: an incident's scores rise as long as it is open.
      if (found != open_.end() && !seen.contains(what.id)) found->second.spell.what = what;
      continue;
    }
    seen.insert(what.id);
    if (found == open_.end()) {
      begin(now, what);
    } else if (differs(found->second.spell.what, what)) {
      end(now, std::move(found->second));
      open_.erase(found);
      begin(now, what);
    } else if (grew(found->second.spell.what, what)) {
      found->second.spell.what = what;
      put(found->second);
    }
  }
  for (auto open = open_.begin(); open != open_.end();) {
    if (seen.contains(open->first)) {
      ++open;
      continue;
    }
    end(now, std::move(open->second));
    open = open_.erase(open);
  }
}

// In a free place, or that of what has been over for the longest time: fewer are open than there
// are places.
template <class T>
void SpellLog<T>::begin(double now, const T& what) {
  std::set<std::size_t> taken;
  for (const auto& [id, open] : open_) taken.insert(open.place);
  for (const Open& open : unwritten_) taken.insert(open.place);
  std::size_t place = kPlaces;
  for (std::size_t i = 0; i < kPlaces; i++) {
    if (!taken.contains(i) && (place == kPlaces || ended_[i] < ended_[place])) place = i;
  }
  if (place == kPlaces) {
    spdlog::warn("{} is not kept in the history: {} are open", what.id, kPlaces);
    return;
  }
  Open& open = open_[what.id];
  open = Open{place, {what, now, 0}};
  put(open);
}

// What the store does not take now is tried again: an end that is lost would leave it open for
// ever.
template <class T>
void SpellLog<T>::end(double now, Open open) {
  open.spell.to = std::max(now, open.spell.from);  // a clock may have been set back
  ended_[open.place] = open.spell.to;
  if (!put(open)) unwritten_.push_back(std::move(open));
}

template <class T>
bool SpellLog<T>::put(const Open& open) {
  const auto done = store_->put_state(key_of<T>(open.place), save(open.spell));
  if (!done && !refused_)
    spdlog::warn("{} is not kept in the history: {}", open.spell.what.id, done.error().text());
  refused_ = !done;
  return !refused_;
}

template class SpellLog<analysis::Regression>;
template class SpellLog<analysis::Incident>;

}  // namespace nz::detected
