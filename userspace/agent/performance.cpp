#include "userspace/agent/performance.h"

#include <algorithm>

#include "userspace/base/clock.h"
#include "userspace/report/host.h"

namespace nz::agent {
namespace {

// Of any level, as the store tells it; 0: nothing is there.
double oldest_of(const std::vector<metrics::Family>& families) {
  double oldest = 0;
  for (const metrics::Family& family : families) {
    if (family.name != "nearzero_store_oldest_timestamp_seconds") continue;
    for (const metrics::Sample& s : family.samples)
      oldest = oldest == 0 ? s.value : std::min(oldest, s.value);
  }
  return oldest;
}

}  // namespace

// In memory points are finer and newer; what lies half a point before them is still theirs.
bool Performance::in_memory(double from) const {
  return store_ == nullptr || oldest_on_disk_ == 0 ||
         (history_.oldest() != 0 && from >= history_.oldest() - history_.resolution() / 2);
}

analysis::Window Performance::window(double from, double to,
                                     const history::History::Filter& filter) const {
  return in_memory(from) ? history_.window(from, to, filter) : store_->window(from, to, filter);
}

std::vector<history::Trend> Performance::trends(const history::Selector& selector, double from,
                                                double to, double step) const {
  return in_memory(from) ? history_.trends(selector, from, to, step)
                         : store_->trends(selector, from, to, step);
}

// What is gone for longer than memory reaches is on disk alone.
std::optional<metrics::Family> Performance::family(const std::string& name) const {
  auto known = history_.family(name);
  return known || store_ == nullptr ? known : store_->family(name);
}

std::optional<std::vector<analysis::Event>> Performance::events(double from, double to) const {
  if (store_ == nullptr) return std::nullopt;
  return store_->events(from, to);
}

double Performance::oldest() const {
  const double disk = oldest_on_disk_;
  const double memory = history_.oldest();
  return disk != 0 && (memory == 0 || disk < memory) ? disk : memory;
}

Performance::Performance(std::shared_ptr<SnapshotBox> snapshots)
    : snapshots_(std::move(snapshots)), history_(history::History::Options{}) {
  report::Extras extras;
  extras.host = report::this_host(NZ_VERSION);
  host_ = std::make_shared<const report::Extras>(std::move(extras));
}

void Performance::record(Snapshot& snapshot) {
  snapshot.generation = ++generation_;
  if (!snapshot.extras) snapshot.extras = host_;
  snapshot.at = unix_seconds();
  oldest_on_disk_ = oldest_of(snapshot.families);
  snapshot.families.push_back({"nearzero_history_bytes",
                               "Memory that the history of all series takes.",
                               metrics::Type::gauge,
                               {{{}, static_cast<double>(history_.bytes()), nullptr}}});
  snapshot.families.push_back({"nearzero_history_evicted_points_total",
                               "Points of history that went early for want of memory.",
                               metrics::Type::counter,
                               {{{}, static_cast<double>(history_.evicted()), nullptr}}});
  history_.add(snapshot.at, snapshot.families);
}

std::vector<rest::Unattached> unattached(
    const std::vector<std::unique_ptr<probes::Probe>>& probes) {
  std::vector<rest::Unattached> result;
  for (const auto& probe : probes) {
    for (const probes::Status& s : probe->status()) {
      if (!s.attached) result.push_back({s.probe, s.target, s.text});
    }
  }
  return result;
}

}  // namespace nz::agent
