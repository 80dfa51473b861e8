#include "userspace/agent/detection.h"

#include <spdlog/spdlog.h>

#include <map>
#include <string>
#include <utility>

#include "analysis/regression/judge.h"
#include "analysis/text.h"
#include "userspace/agent/incident_state.h"
#include "userspace/agent/regression_state.h"

namespace nz::agent {
namespace {

constexpr double kBuildsPause = 60;  // seconds: a target may start ever other executables
// Seconds: when an incident was seen last may be set back by so much by a crash.
constexpr double kIncidentsPause = 30;
// Seconds: a file that is begun anew, or did not take the last change, is without them for so long.
constexpr double kRegressionsPause = 600;
constexpr std::size_t kMostEvents = 512;
constexpr double kEventsBack = 86400;  // seconds, after a restart
// Of an incident: as of a regression.
constexpr double kEventSeconds = 600;
constexpr std::size_t kMostNamed = 8;

void log(const analysis::Regression& r, bool opened) {
  const std::string what = analysis::text_of(r.of);
  if (!opened) {
    spdlog::info("regression of {} is over", what);
    return;
  }
  spdlog::log(r.worse ? spdlog::level::warn : spdlog::level::info,
              "{} {}: {} before, {} since (confidence {:.1f} %)",
              r.worse ? "regression of" : "change of", what,
              analysis::figure_text(r.before, r.of.unit), analysis::figure_text(r.after, r.of.unit),
              r.confidence * 100);
}

// Nothing is kept of this run where what is there cannot be read: it would be overwritten.
template <class T>
void open_log(store::Store& store, const char* what, std::optional<detected::SpellLog<T>>& log) {
  auto opened = detected::SpellLog<T>::open(store);
  if (opened) {
    log.emplace(std::move(*opened));
  } else {
    spdlog::warn("`nearzero alerts test` will not know the {} from now to the next start: {}", what,
                 opened.error().text());
  }
}

}  // namespace

Detection::Detection(const history::History& history, store::Store* store, double now)
    : history_(history), store_(store) {
  restore_events(now);
  restore();
  if (store_ != nullptr) {
    open_log(*store_, "regressions", regression_log_);
    open_log(*store_, "incidents", incident_log_);
  }
  restore_incidents(now);
  kept_builds_.read_into(
      [this](const std::string& saved) { return target_events_.restore(saved); });
}

void Detection::restore() {
  const auto known = kept_regressions_.read(&restore_regressions);
  if (!known) return;
  watch_.restore(*known);
  regressions_ = watch_.regressions();
}

void Detection::restore_incidents(double now) {
  const auto known = kept_incidents_.read(&agent::restore_incidents);
  if (!known) return;
  remember_incidents(now, watch_.restore_incidents(*known, now));
  take_incidents(std::vector<analysis::Event>(events_.begin(), events_.end()));
}

// What explains a change may have happened before a restart.
void Detection::restore_events(double now) {
  if (store_ == nullptr) return;
  for (analysis::Event& event : store_->events(now - kEventsBack, now)) {
    events_.push_back(std::move(event));
    if (events_.size() > kMostEvents) events_.pop_front();
  }
}

void Detection::take_incidents(std::span<const analysis::Event> events) {
  incidents_ = watch_.incidents();
  for (analysis::Incident& i : incidents_) {
    if (i.members.empty()) continue;
    i.events = analysis::events_near(events, i.members.front().of.labels, i.since, i.since,
                                     kEventSeconds, kMostNamed);
  }
}

void Detection::remember_incidents(double now, const analysis::IncidentGrouper::Changes& changes) {
  const bool changed = !changes.opened.empty() || !changes.resolved.empty();
  if (!changed && !kept_incidents_.due(now, kIncidentsPause)) return;
  const auto open = watch_.open_incidents();
  if (changed || !open.empty()) kept_incidents_.write(now, save_incidents(open));
}

void Detection::remember_builds(double now) {
  if (!kept_builds_.due(now, kBuildsPause)) return;
  if (auto builds = target_events_.save()) kept_builds_.write(now, std::move(*builds));
}

void Detection::tell(analysis::Event event) {
  if (store_ != nullptr) store_->add_event(event);
  events_.push_back(std::move(event));
  if (events_.size() > kMostEvents) events_.pop_front();
}

// Of the last hour, in memory, as fine as it is there: a step is told when some are behind it.
std::vector<analysis::Slice> Detection::slices(const analysis::Quantity& of, double from,
                                               double to) const {
  std::vector<analysis::Slice> result;
  if (!of.statistic.starts_with('p')) return result;  // not of a histogram's values
  const double step = history_.resolution();
  for (history::Interval& i : history_.intervals(of.name, of.labels, from, to, step))
    result.push_back({i.from, i.to, std::move(i.histogram)});
  return result;
}

bool Detection::step(double now, const targets::Tracker& tracker) {
  changed_ = false;
  for (analysis::Event& event : target_events_.step(now, tracker)) tell(std::move(event));
  remember_builds(now);
  if (!watch_.due(now)) return false;
  const analysis::Window window = history_.window(now - watch_.every(), now);
  if (window.seconds() <= 0) return false;
  const std::vector<analysis::Event> events(events_.begin(), events_.end());
  const auto changes = watch_.look(
      window,
      [this](const analysis::Quantity& of, double from, double to) { return slices(of, from, to); },
      events);
  regressions_ = watch_.regressions();
  take_incidents(events);
  remember_incidents(now, changes.incidents);
  for (const analysis::Regression& r : changes.regressions.opened) log(r, true);
  for (const analysis::Regression& r : changes.regressions.resolved) log(r, false);
  changed_ = !changes.regressions.opened.empty() || !changes.regressions.resolved.empty();
  const bool changed = changed_ || changes.regressions.further;
  const bool again = !regressions_.empty() && kept_regressions_.due(now, kRegressionsPause);
  if (changed || again) kept_regressions_.write(now, save_regressions(regressions_));
  if (regression_log_) regression_log_->step(now, regressions_);
  if (incident_log_) incident_log_->step(now, incidents_);
  return true;
}

void Detection::collect(std::vector<metrics::Family>& out) const {
  std::map<std::string, double> open;  // by whether it is worse
  for (const analysis::Regression& r : regressions_) {
    if (r.state != analysis::FindingState::resolved) open[r.worse ? "worse" : "told"] += 1;
  }
  metrics::Family changes{"nearzero_regressions_open",
                          "Lasting changes that have not gone back: worse, or only told of.",
                          metrics::Type::gauge,
                          {}};
  for (const char* kind : {"worse", "told"})
    changes.samples.push_back({{{"kind", kind}}, open[kind], nullptr});
  out.push_back(std::move(changes));
  double incidents = 0;
  for (const analysis::Incident& i : incidents_) incidents += i.until == 0 ? 1 : 0;
  const auto one = [&](const char* name, const char* help, metrics::Type type, double value) {
    out.push_back({name, help, type, {{{}, value, nullptr}}});
  };
  one("nearzero_incidents_open", "Groups of series that are unusual now.", metrics::Type::gauge,
      incidents);
  one("nearzero_watched_series", "Quantities that are watched for changes and anomalies.",
      metrics::Type::gauge, static_cast<double>(watch_.series()));
  one("nearzero_watch_dropped_total", "Series, regressions and incidents that did not fit.",
      metrics::Type::counter, static_cast<double>(watch_.dropped()));
}

}  // namespace nz::agent
