#include "userspace/alerts/courier.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "userspace/alerts/payload.h"
#include "userspace/base/courtesy.h"
#include "userspace/base/guard.h"

namespace nz::alerts {
namespace {

using Clock = std::chrono::steady_clock;

// Prometheus' own: an Alertmanager that is restarted hears of the end all the same.
constexpr double kRetainResolved = 900;
constexpr double kLongestSleep = 60;
constexpr std::chrono::seconds kLongestGoodbye{1};

std::string path_of(const Receiver& receiver) {
  return receiver.kind == Receiver::Kind::alertmanager ? "/api/v2/alerts" : "";
}

unsigned seed() {
  try {
    return std::random_device{}();
  } catch (const std::exception&) {
    return static_cast<unsigned>(Clock::now().time_since_epoch().count());
  }
}

}  // namespace

struct Courier::Shared {
  Shared(const Receiver& to, const std::string& at, std::string from,
         std::function<void()> on_change, Now clock, Lookup::Resolve resolve)
      : receiver(to),
        url(at),
        generator(std::move(from)),
        changed(std::move(on_change)),
        now(std::move(clock)),
        poster(to, at, path_of(to), std::move(resolve)),
        outbox(outbox_options(to)) {}

  const Receiver receiver;
  const std::string url, generator;
  const std::string task = "delivery to receiver " + receiver.name;  // for the log
  const std::function<void()> changed;
  const Now now;
  Poster poster;

  mutable std::mutex mutex;
  std::condition_variable wake;
  Outbox outbox;
  std::map<std::string, std::uint64_t> results;
  std::string trouble;
  bool stopping = false, ended = false;
  Clock::time_point stopped;
};

Outbox::Options outbox_options(const Receiver& receiver) {
  Outbox::Options options;
  options.group_by = receiver.group_by;
  options.wait = receiver.group_wait;
  options.interval = receiver.group_interval;
  options.repeat = receiver.repeat;
  options.send_resolved = receiver.send_resolved;
  if (receiver.kind == Receiver::Kind::alertmanager) {
    options.retain_resolved = kRetainResolved;
    options.send_resolved = true;  // whether people hear of it is its own configuration
  }
  return options;
}

bool goes_to(const Alert& alert, const Receiver& receiver) {
  if (alert.state == State::pending || alert.severity < receiver.least_severity) return false;
  return alert.receivers.empty() || std::find(alert.receivers.begin(), alert.receivers.end(),
                                              receiver.name) != alert.receivers.end();
}

Courier::Courier(const Receiver& receiver, const std::string& url, std::string generator,
                 std::function<void()> changed, Now now, Lookup::Resolve resolve)
    : shared_(std::make_shared<Shared>(receiver, url, std::move(generator), std::move(changed),
                                       std::move(now), std::move(resolve))) {
  std::thread([shared = shared_] { run(shared); }).detach();
}

void Courier::stop() {
  {
    const std::lock_guard lock(shared_->mutex);
    if (!shared_->stopping) shared_->stopped = Clock::now();
    shared_->stopping = true;
    shared_->wake.notify_all();
  }
  shared_->poster.stop();
}

Courier::~Courier() {
  stop();
  std::unique_lock lock(shared_->mutex);
  // A file of a secret may be on a disk that hangs, or an exception makes its thread pause: it
  // holds what it needs. The time counts from stop(): many together take no longer than one.
  const auto latest = shared_->stopped + kLongestGoodbye;
  if (!shared_->wake.wait_until(lock, latest, [this] { return shared_->ended; }))
    spdlog::warn("receiver {}: a request is still under way and is left alone",
                 shared_->receiver.name);
}

void Courier::update(const std::vector<Alert>& alerts) {
  std::vector<Alert> own;
  for (const Alert& alert : alerts) {
    if (goes_to(alert, shared_->receiver)) own.push_back(alert);
  }
  const std::lock_guard lock(shared_->mutex);
  shared_->outbox.update(own, shared_->now());
  shared_->wake.notify_all();
}

void Courier::run(const std::shared_ptr<Shared>& shared) {
  const Courtesy courtesy(kNiceOfAnswers);
  Guard().keep(shared->task.c_str(), [&shared] {
    try {
      deliver(shared);
    } catch (const std::exception& e) {
      const std::lock_guard lock(shared->mutex);
      shared->trouble = e.what();
      throw;
    }
  });
  const std::lock_guard lock(shared->mutex);
  shared->ended = true;
  shared->wake.notify_all();
}

// Until it is to stop.
void Courier::deliver(const std::shared_ptr<Shared>& shared) {
  std::minstd_rand random(seed());
  std::uniform_real_distribution<double> chance(0, 1);
  std::unique_lock lock(shared->mutex);
  while (!shared->stopping) {
    const double now = shared->now();
    const auto message = shared->outbox.due(now);
    if (!message) {
      const double sleep = std::clamp(shared->outbox.next() - now, 0.01, kLongestSleep);
      shared->wake.wait_for(lock, std::chrono::duration<double>(sleep));
      continue;
    }
    lock.unlock();  // also while the text is made: the agent's thread waits for nobody so slow
    Attempt attempt;
    try {
      const Receiver& to = shared->receiver;
      attempt =
          shared->poster.post(to.kind == Receiver::Kind::alertmanager
                                  ? alertmanager_body(*message, now, to.repeat, shared->generator)
                                  : webhook_body(*message, to.name, shared->generator));
    } catch (const std::exception& e) {
      attempt = {Attempt::Outcome::unreachable, e.what()};
    }
    lock.lock();
    if (shared->stopping) break;  // what was under way is told again after the start
    shared->results[word(attempt.outcome)]++;
    if (attempt.outcome == Attempt::Outcome::ok) {
      const std::size_t waited = shared->outbox.waiting();
      shared->outbox.delivered(*message, shared->now());
      if (!shared->trouble.empty())
        spdlog::info("receiver {}: takes alerts again", shared->receiver.name);
      shared->trouble.clear();
      if (waited != shared->outbox.waiting() && shared->changed) shared->changed();
      continue;
    }
    shared->outbox.failed(*message, shared->now(), chance(random));
    // Once for each new reason: it is tried again for hours, and the log is no place for that.
    if (shared->trouble != attempt.why)
      spdlog::warn("receiver {}: {}; {} alerts wait", shared->receiver.name, attempt.why,
                   shared->outbox.waiting());
    shared->trouble = attempt.why;
  }
}

Courier::Stats Courier::stats() const {
  const std::lock_guard lock(shared_->mutex);
  return {shared_->results, shared_->outbox.waiting(), shared_->outbox.dropped(), shared_->trouble};
}

const std::string& Courier::receiver() const { return shared_->receiver.name; }
const std::string& Courier::url() const { return shared_->url; }

std::string Courier::save() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->outbox.save();
}

Result<void> Courier::restore(std::string_view saved) {
  const std::lock_guard lock(shared_->mutex);
  return shared_->outbox.restore(saved);
}

}  // namespace nz::alerts
