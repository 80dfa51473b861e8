#include "userspace/alerts/windows.h"

#include <algorithm>

namespace nz::alerts {
namespace {

constexpr double kLong = 1800;
constexpr double kKeptParts = 120;
constexpr double kLateSeconds = 30;  // three points of the history in memory

template <class... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

}  // namespace

void Windows::plan(const std::vector<Rule>& rules) {
  by_length_.clear();
  facts_ = nullptr;
  const auto want = [this](double seconds, const Selector& series) {
    by_length_[seconds].families.insert(series.name);
  };
  for (const Rule& rule : rules) {
    std::visit(Overloaded{[&](const Threshold& c) { want(c.of.window, c.of.series); },
                          [&](const Ratio& c) {
                            want(c.of.window, c.of.series);
                            want(c.to.window, c.to.series);
                          },
                          [&](const Degradation& c) { want(c.of.window, c.of.series); },
                          [&](const Absence& c) { want(c.window, c.series); },
                          [&](const BurnRate& c) {
                            for (const auto& window : c.windows) {
                              for (const double seconds : {window.length, window.confirm}) {
                                if (c.of_values()) {
                                  want(seconds, c.series);
                                } else {
                                  want(seconds, c.bad);
                                  want(seconds, c.total);
                                }
                              }
                            }
                          },
                          [](const RegressionFound&) {}, [](const AnomalyFound&) {},
                          [](const BottleneckFound&) {}, [](const ForecastFound&) {}},
               rule.condition);
  }
}

void Windows::begin(const Facts& facts, double now) {
  facts_ = &facts;
  now_ = now;
  for (auto& [seconds, kept] : by_length_) {
    const double age = now - kept.at;
    // A clock that was set back makes an age below 0.
    if (seconds >= kLong && age >= 0 && age < seconds / kKeptParts) continue;
    kept.at = 0;
    kept.window = {};
  }
}

const analysis::Window& Windows::get(double seconds) {
  static const analysis::Window none;
  const auto found = by_length_.find(seconds);
  if (found == by_length_.end() || facts_ == nullptr) return none;
  Kept& kept = found->second;
  if (kept.at == 0) {
    kept.window = facts_->window(now_ - seconds, now_, kept.families);
    kept.at = now_;
  }
  return kept.window;
}

bool Windows::covers(const analysis::Window& window, double seconds, double share) const {
  const double late = std::max(kLateSeconds, seconds / kKeptParts + kLateSeconds);
  return window.seconds() > 0 && window.seconds() >= seconds * share && now_ - window.to <= late;
}

}  // namespace nz::alerts
