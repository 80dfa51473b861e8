#include "userspace/agent/insight.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <utility>

#include "userspace/agent/start_events.h"
#include "userspace/base/clock.h"

namespace nz::agent {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

}  // namespace

Result<void> Insight::open(const config::Config& config) {
  if (auto opened = open_store(config); !opened) return opened;
  detection_ = std::make_unique<Detection>(performance_.history(), store_.get());
  for (analysis::Event& event : start_events(unix_seconds(), store_.get()))
    detection_->tell(std::move(event));
  errands_.configure(config.reports);
  errands_.start(store_.get());
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
  baselines_ = std::make_unique<baselines::Baselines>(*store_);
  finding_memory_ = std::make_unique<FindingMemory>(*store_);
  finding_memory_->restore(judge_, unix_seconds());
  return {};
}

void Insight::open_alerts(const config::Config& config) {
  if (config.alerts.rules.empty()) {
    if (alerting_) retiring_ = Alerting::retire(std::move(alerting_));
  } else if (alerting_) {
    alerting_->reload(config.alerts.rules);
  } else {
    if (retiring_.joinable()) retiring_.join();  // it writes the state that is read now
    alerts::Service::Options o;
    o.rule_files = config.alerts.rules;
    o.state_file = config.alerts.state;
    o.host = host_name();
    o.url = (config.http.tls_certificate.empty() ? "http://" : "https://") + config.listen;
    Alerting::Baseline baseline;
    if (baselines_) {
      baseline = [this](const analysis::Quantity& of, const std::string& name, double at) {
        return baselines_->value(of, name, at);
      };
    }
    alerting_ =
        std::make_unique<Alerting>(std::move(o), performance_, store_.get(), std::move(baseline));
  }
  errands_.want(alerting_ ? alerting_->rules() : std::vector<alerts::Rule>{});
}

void Insight::reload(const config::Config& config) {
  errands_.configure(config.reports);
  open_alerts(config);
  tell({unix_seconds(), "config_reload", "host", "nearzero read " + config.source});
}

void Insight::collect(std::vector<metrics::Family>& out) const {
  judge_.collect(out);
  detection_->collect(out);
  if (baselines_) baselines_->collect(out);
  if (alerting_) alerting_->collect(out);
  errands_.collect(out);
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
  if (finding_memory_) finding_memory_->keep(judge_, changes, snapshot.at);
  snapshot.findings = judge_.findings();
  snapshot.details = details_;
}

// Regressions and incidents, what is learnt from them, and whom to tell of them and of all else.
void Insight::detect(double now, const targets::Tracker& tracker) {
  const bool looked = detection_->step(now, tracker);
  if (baselines_)
    baselines_->step(now, performance_.history(), detection_->regressions(),
                     detection_->incidents(), judge_.findings());
  if (looked || !extras_) extras_ = extras();
  if (!alerting_ || !(detection_->changed() || alerting_->due(now))) return;
  alerting_->look({now, judge_.findings(), detection_->regressions(), detection_->incidents(),
                   errands_.forecasts()});
}

// What reports tell besides, as of the last look.
std::shared_ptr<const report::Extras> Insight::extras() const {
  auto extras = std::make_shared<report::Extras>();
  extras->host = performance_.host();
  extras->regressions = detection_->regressions();
  extras->incidents = detection_->incidents();
  extras->events.emplace(detection_->events().begin(), detection_->events().end());
  if (baselines_) extras->usual = *baselines_->against_usual();
  if (alerting_) extras->alerts = *alerting_->alerts();
  if (const auto list = errands_.forecasts()) extras->forecasts = *list;
  return extras;
}

std::optional<std::string> Insight::command(const std::string& line) {
  if (alerting_) return alerting_->command(line);
  if (line.starts_with("alerts") || line.starts_with("silence"))
    return "error: no alert rules are loaded (name their files in alerts.rules)\n";
  return std::nullopt;
}

}  // namespace nz::agent
