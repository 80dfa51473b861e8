#include "userspace/baselines/baselines.h"

#include <sys/resource.h>

#include <utility>

#include "userspace/base/courtesy.h"
#include "userspace/base/guard.h"

namespace nz::baselines {
namespace {

constexpr double kMinute = 60;
constexpr double kTell = 600;  // seconds between two looks at what went wrong

}  // namespace

Baselines::Baselines(store::Store& store)
    : usual_(store),
      named_(store),
      thread_([this] { Guard().keep("learning what is usual", [this] { run(); }); }) {}

Baselines::~Baselines() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Baselines::step(double now, const history::History& history,
                     const std::vector<analysis::Regression>& regressions,
                     const std::vector<analysis::Incident>& incidents,
                     const std::vector<analysis::Finding>& findings) {
  if (now >= last_ && now - last_ < kMinute) return;
  last_ = now;
  const analysis::Window minute = history.window(now - kMinute, now);
  if (minute.seconds() >= kMinute / 2)
    usual_.take((minute.from + minute.to) / 2, analysis::quantities_of(minute));
  std::shared_ptr<const Troubles> troubles;
  if (now - told_ >= kTell || now < told_) {
    told_ = now;
    troubles = std::make_shared<const Troubles>(Troubles{regressions, incidents, findings});
  }
  {
    const std::lock_guard lock(mutex_);
    due_ = now;
    if (troubles) troubles_ = std::move(troubles);
  }
  wake_.notify_one();
}

void Baselines::run() {
  setpriority(PRIO_PROCESS, 0, kNiceOfHistory);  // of one thread, on Linux
  Guard guard;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || due_.has_value(); });
    if (stopping_) return;
    const double now = *std::exchange(due_, std::nullopt);
    const auto troubles = std::exchange(troubles_, nullptr);
    lock.unlock();
    guard.run("learning what is usual", [&] { work(now, troubles.get()); });
    lock.lock();
  }
}

void Baselines::work(double now, const Troubles* troubles) {
  if (troubles != nullptr) usual_.hold_out(now, *troubles);
  usual_.work(now);
  named_.refresh();
  auto against =
      std::make_shared<const std::vector<analysis::AgainstUsual>>(usual_.against_usual());
  const std::lock_guard lock(mutex_);
  against_ = std::move(against);
}

std::optional<alerts::BaselineValue> Baselines::value(const analysis::Quantity& of,
                                                      const std::string& name, double at) {
  return name == "hour_of_week" ? usual_.value(of, at) : named_.value(of, name);
}

std::shared_ptr<const std::vector<analysis::AgainstUsual>> Baselines::against_usual() const {
  const std::lock_guard lock(mutex_);
  return against_;
}

void Baselines::collect(std::vector<metrics::Family>& out) const {
  const auto one = [&](const char* name, const char* help, metrics::Type type, double value) {
    out.push_back({name, help, type, {{{}, value, nullptr}}});
  };
  one("nearzero_baseline_series", "Quantities whose usual hours of the week are learnt.",
      metrics::Type::gauge, static_cast<double>(usual_.series()));
  one("nearzero_baseline_series_left_out",
      "Quantities of the last minute without a baseline, for want of room.", metrics::Type::gauge,
      static_cast<double>(usual_.left_out()));
  one("nearzero_baseline_dropped_total",
      "Hours that were given up because nothing could be written, and questions of rules beyond "
      "those that are answered.",
      metrics::Type::counter, static_cast<double>(usual_.lost_hours() + named_.dropped()));
  one("nearzero_baseline_errors_total",
      "Baselines that could not be read, or were damaged, or not be written.",
      metrics::Type::counter, static_cast<double>(usual_.errors() + named_.errors()));
}

}  // namespace nz::baselines
