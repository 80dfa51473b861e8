#include "userspace/agent/alerting.h"

#include <set>
#include <system_error>
#include <utility>

#include "userspace/base/courtesy.h"

namespace nz::agent {
namespace {

report::Alert for_report(const alerts::Alert& a) {
  const auto value_of = [](const auto& pairs, std::string_view name) {
    for (const auto& [key, value] : pairs) {
      if (key == name) return value;
    }
    return std::string{};
  };
  return {a.rule,
          value_of(a.labels, "severity"),
          value_of(a.labels, "target"),
          value_of(a.annotations, "summary"),
          a.active_since,
          a.resolved_at};
}

}  // namespace

class Alerting::Facts : public alerts::Facts {
 public:
  Facts(const Moment& moment, LongWindows& windows, const Baseline& baseline)
      : moment_(moment), windows_(windows), baseline_(baseline) {}

  [[nodiscard]] analysis::Window window(double from, double to,
                                        const std::set<std::string>& families) const override {
    return windows_.window(from, to, families);
  }
  [[nodiscard]] const std::vector<analysis::Finding>* findings() const override {
    return &moment_.findings;
  }
  [[nodiscard]] const std::vector<analysis::Regression>* regressions() const override {
    return &moment_.regressions;
  }
  [[nodiscard]] const std::vector<analysis::Incident>* incidents() const override {
    return &moment_.incidents;
  }
  [[nodiscard]] const std::vector<analysis::LimitForecast>* forecasts() const override {
    return moment_.forecasts.get();
  }
  [[nodiscard]] std::optional<alerts::BaselineValue> baseline(const analysis::Quantity& of,
                                                              const std::string& name,
                                                              double at) const override {
    return baseline_ ? baseline_(of, name, at) : std::nullopt;
  }

 private:
  const Moment& moment_;
  LongWindows& windows_;
  const Baseline& baseline_;
};

Alerting::Alerting(alerts::Service::Options options, const rest::Source& source,
                   store::Store* store, Baseline baseline)
    : kept_ended_(store, "alerts_ended", "alerts that ended"),
      baseline_(std::move(baseline)),
      windows_([&source](double from, double to, const LongWindows::Families& families) {
        return source.window(from, to, [&families](const std::string& name, const auto&) {
          return families.contains(name);
        });
      }) {
  service_ = std::make_unique<alerts::Service>(std::move(options));
  kept_ended_.read_into([this](const std::string& saved) { return ended_.restore(saved); });
  publish();
  thread_ = std::thread([this] { guard_.keep("alert rules", [this] { run(); }); });
}

Alerting::~Alerting() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::jthread Alerting::retire(std::unique_ptr<Alerting> alerting) {
  try {
    return std::jthread([last = std::move(alerting)]() mutable { last.reset(); });
  } catch (const std::system_error&) {  // no thread: it was waited for here
    return {};
  }
}

void Alerting::look(Moment moment) {
  last_ = moment.at;
  {
    const std::lock_guard lock(mutex_);
    waiting_ = std::move(moment);
  }
  wake_.notify_one();
}

void Alerting::run() {
  const Courtesy courtesy(kNiceOfAnswers);
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || waiting_; });
    if (stopping_) return;
    const Moment moment = std::move(*waiting_);
    waiting_.reset();
    lock.unlock();
    guard_.run("a look of the alert rules", [&] { step(moment); });
    lock.lock();
  }
}

void Alerting::step(const Moment& moment) {
  const Facts facts(moment, windows_, baseline_);
  const auto changes = service_->step(facts, moment.at);
  windows_.forget(moment.at - LongWindows::kLong);
  note_ended(moment.at, changes.resolved);
  publish();
}

void Alerting::note_ended(double now, const std::vector<alerts::Alert>& ended) {
  if (ended.empty()) return;
  {
    const std::lock_guard lock(publish_mutex_);
    for (const alerts::Alert& alert : ended) ended_.add(for_report(alert));
  }
  kept_ended_.write(now, ended_.save());
}

void Alerting::publish() {
  const std::lock_guard publishing(publish_mutex_);
  std::vector<metrics::Family> families;
  service_->collect(families);
  auto all = std::make_shared<std::vector<report::Alert>>(ended_.all().begin(), ended_.all().end());
  for (const alerts::Alert& alert : service_->alerts()) {
    if (alert.state == alerts::State::firing) all->push_back(for_report(alert));
  }
  const std::lock_guard lock(mutex_);
  families_ = std::move(families);
  alerts_ = std::move(all);
}

void Alerting::reload(const std::vector<std::string>& rule_files) {
  service_->reload(rule_files);
  publish();
}

std::optional<std::string> Alerting::command(const std::string& line) {
  auto answer = service_->command(line);
  if (answer) publish();
  return answer;
}

std::vector<alerts::Rule> Alerting::rules() const { return service_->file()->rules; }

void Alerting::collect(std::vector<metrics::Family>& out) const {
  const std::lock_guard lock(mutex_);
  out.insert(out.end(), families_.begin(), families_.end());
  out.push_back({"nearzero_alert_step_errors_total",
                 "Looks of the alert rules that an exception ended.",
                 metrics::Type::counter,
                 {{{}, static_cast<double>(guard_.errors()), nullptr}}});
}

std::shared_ptr<const std::vector<report::Alert>> Alerting::alerts() const {
  const std::lock_guard lock(mutex_);
  return alerts_;
}

}  // namespace nz::agent
