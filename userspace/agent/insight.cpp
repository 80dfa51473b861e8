#include "userspace/agent/insight.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <utility>

#include "userspace/agent/start_events.h"
#include "userspace/alerts/history_facts.h"
#include "userspace/base/clock.h"

namespace nz::agent {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

std::vector<report::Alert> alerts_of_report(const std::vector<alerts::Alert>& all) {
  std::vector<report::Alert> result;
  for (const alerts::Alert& a : all) {
    if (a.state == alerts::State::pending) continue;
    const auto value_of = [](const auto& pairs, std::string_view name) {
      for (const auto& [key, value] : pairs) {
        if (key == name) return value;
      }
      return std::string{};
    };
    result.push_back({a.rule, value_of(a.labels, "severity"), value_of(a.labels, "target"),
                      value_of(a.annotations, "summary"), a.active_since, a.resolved_at});
  }
  return result;
}

}  // namespace

Result<void> Insight::open(const config::Config& config) {
  if (auto opened = open_store(config); !opened) return opened;
  detection_ = std::make_unique<Detection>(performance_.history(), store_.get());
  for (analysis::Event& event : start_events(unix_seconds(), store_.get()))
    detection_->tell(std::move(event));
  open_alerts(config);
  return {};
}

Result<void> Insight::open_store(const config::Config& config) {
  if (config.history.path.empty()) return {};
  using Seconds = std::chrono::duration<double>;
  store::Options o;
  o.path = config.history.path;
  o.keep_raw = Seconds(config.history.raw).count();
  o.keep_minutes = Seconds(config.history.minutes).count();
  o.keep_hours = Seconds(config.history.hours).count();
  o.most_bytes = std::uint64_t{config.history.most_mib} << 20U;
  auto opened = store::Store::open(o);
  if (!opened) return tl::unexpected(opened.error());
  store_ = std::move(*opened);
  performance_.set_store(store_.get());
  return {};
}

void Insight::open_alerts(const config::Config& config) {
  if (config.alerts.rules.empty()) {
    alerts_.reset();
    return;
  }
  if (alerts_) {
    alerts_->reload(config.alerts.rules);
    return;
  }
  alerts::Service::Options o;
  o.rule_files = config.alerts.rules;
  o.state_file = config.alerts.state;
  o.host = host_name();
  o.url = (config.http.tls_certificate.empty() ? "http://" : "https://") + config.listen;
  alerts_ = std::make_unique<alerts::Service>(std::move(o));
}

void Insight::reload(const config::Config& config) {
  open_alerts(config);
  tell({unix_seconds(), "config_reload", "host", "nearzero read " + config.source});
}

void Insight::collect(std::vector<metrics::Family>& out) const {
  judge_.collect(out);
  detection_->collect(out);
  if (alerts_) alerts_->collect(out);
  if (store_) store_->collect(out);
}

void Insight::step(Snapshot& snapshot, const Probes& probes, const targets::Tracker& tracker) {
  snapshot.extras = extras_;
  performance_.record(snapshot);
  judge(snapshot, probes);
  detect(snapshot.at, tracker);
}

void Insight::keep(const std::shared_ptr<const Snapshot>& snapshot) {
  if (store_) store_->add(snapshot->at, store::Families(snapshot, &snapshot->families));
}

void Insight::judge(Snapshot& snapshot, const Probes& probes) {
  // As often as they are judged: folded stacks are long, and the next drain's are the same.
  if (!details_ || judge_.due(snapshot.at)) {
    auto details = std::make_shared<analysis::Details>();
    for (const auto& probe : probes) probe->details(*details);
    details_ = std::move(details);
  }
  const auto changes = judge_.step(performance_.history(), snapshot.at, *details_);
  for (const analysis::Finding& f : changes.opened)
    spdlog::warn("bottleneck {}: {} ({:.0f} % of the order path)", f.id, f.title, f.impact * 100);
  for (const analysis::Finding& f : changes.resolved)
    spdlog::info("bottleneck {} is over after {:.0f} s", f.id, f.until - f.since);
  snapshot.findings = judge_.findings();
  snapshot.details = details_;
}

// Regressions and incidents, and whom to tell of them and of all else.
void Insight::detect(double now, const targets::Tracker& tracker) {
  const bool looked = detection_->step(now, tracker);
  if (looked || !extras_) extras_ = extras();
  if (!alerts_) return;
  alerts::HistoryFacts facts(performance_.history());
  facts.set_findings(&judge_.findings());
  facts.set_regressions(&detection_->regressions());
  facts.set_incidents(&detection_->incidents());
  alerts_->step(facts, now, detection_->changed());
}

// What reports tell besides, as of the last look.
std::shared_ptr<const report::Extras> Insight::extras() const {
  auto extras = std::make_shared<report::Extras>();
  extras->host = performance_.host();
  extras->regressions = detection_->regressions();
  extras->incidents = detection_->incidents();
  extras->events.emplace(detection_->events().begin(), detection_->events().end());
  if (alerts_) extras->alerts = alerts_of_report(alerts_->alerts());
  return extras;
}

std::optional<std::string> Insight::command(const std::string& line) {
  if (alerts_) return alerts_->command(line);
  if (line.starts_with("alerts") || line.starts_with("silence"))
    return "error: no alert rules are loaded (name their files in alerts.rules)\n";
  return std::nullopt;
}

}  // namespace nz::agent
