#include "analysis/watch/watch.h"

namespace nz::analysis {

Watch::Watch(const Options& options)
    : options_(options), regressions_(options.regressions), incidents_(options.incidents) {}

void Watch::score(const Measured& measured, double at, std::vector<Anomaly>& anomalies) {
  const std::string key = text_of(measured.of);
  auto found = detectors_.find(key);
  if (found == detectors_.end()) {
    if (detectors_.size() >= options_.most_series) {
      dropped_++;
      return;
    }
    found = detectors_.emplace(key, Watched{}).first;
  }
  Watched& watched = found->second;
  watched.last = at;
  const double expected = watched.detector.expected();
  const double score = watched.detector.score(at, measured.value);
  if (score >= options_.unusual)
    anomalies.push_back({measured.of, at, measured.value, expected, score});
}

Watch::Changes Watch::look(const Window& window, const RegressionWatch::History& history,
                           std::span<const Event> events) {
  last_ = window.to;
  std::vector<Anomaly> anomalies;
  for (const Measured& measured : quantities_of(window)) {
    score(measured, window.to, anomalies);
    regressions_.add(measured.of, window.to, measured.value);
  }
  std::erase_if(detectors_, [&](const auto& entry) {
    return window.to - entry.second.last > options_.forget_seconds;
  });
  return {regressions_.look(window.to, history, events), incidents_.observe(window.to, anomalies)};
}

std::vector<Regression> Watch::regressions() const { return regressions_.tracker().regressions(); }

std::uint64_t Watch::dropped() const {
  return dropped_ + regressions_.dropped() + regressions_.tracker().dropped() +
         incidents_.dropped();
}

}  // namespace nz::analysis
