#include "userspace/store/store.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <ctime>
#include <deque>
#include <system_error>
#include <thread>

#include "userspace/base/courtesy.h"
#include "userspace/base/guard.h"
#include "userspace/store/answers.h"
#include "userspace/store/inbox.h"
#include "userspace/store/reader_pool.h"
#include "userspace/store/schema.h"
#include "userspace/store/stats.h"
#include "userspace/store/writer.h"

namespace nz::store {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostQueued = 4;  // drains
constexpr std::size_t kMostEventsAnswered = 10'000;
constexpr auto kBetweenSaves = std::chrono::seconds(1);  // of what others gave to keep

struct Drain {
  Moment at;
  Families families;
};

double boot_seconds_now() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

bool is_a_time(double unix_seconds) {
  return unix_seconds > 0 && unix_seconds < static_cast<double>(kLastSecond);
}

}  // namespace

class Store::Impl {
 public:
  explicit Impl(const Options& options)
      : readers_(options.path, options.vfs),
        writer_(options, stats_, inbox_, [this] { readers_.forget(); }) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  Result<void> start() {
    if (auto opened = writer_.open(); !opened) return opened;
    try {
      thread_ = std::thread([this] { Guard().keep("writing history", [this] { run(); }); });
    } catch (const std::system_error& e) {
      return fail(std::string("start the thread that writes history: ") + e.what(),
                  "see ulimit -u, TasksMax", e.code().value());
    }
    return {};
  }

  void add(const Moment& at, Families families) {
    bool replaced = false;
    {
      const std::lock_guard lock(mutex_);
      replaced = queue_.size() >= kMostQueued;
      if (replaced) queue_.pop_back();
      queue_.push_back({at, std::move(families)});
    }
    if (replaced) stats_.dropped(Drop::queue);
    wake_.notify_all();
  }

  void given() {
    {
      const std::lock_guard lock(mutex_);
      given_ = true;
    }
    wake_.notify_all();
  }

  Result<void> flush() {
    std::unique_lock lock(mutex_);
    const std::uint64_t mine = ++asked_;
    wake_.notify_all();
    answered_changed_.wait(lock, [&] { return answered_ >= mine; });
    return last_;
  }

  template <class Ask>
  auto read(const Ask& ask) const {
    std::uint64_t damaged = 0;
    auto answer = readers_.with([&](Reader& reader) {
      const std::uint64_t before = reader.damaged_blocks();
      auto result = ask(reader);
      damaged = reader.damaged_blocks() - before;
      return result;
    });
    note_reading(answer ? std::string() : answer.error().text());
    if (!answer && answer.error().code == kDamaged) suspect_ = true;
    if (damaged != 0) note_damage(damaged);
    return answer;
  }

  mutable Stats stats_;
  Inbox inbox_;

 private:
  // Rules ask every second: one line for each kind of failure is enough.
  void note_reading(const std::string& failure) const {
    if (!failure.empty()) stats_.read_failed();
    const std::lock_guard lock(failure_mutex_);
    if (failure == read_failure_) return;
    read_failure_ = failure;
    if (!failure.empty()) spdlog::warn("history cannot be read: {}", failure);
  }

  void note_damage(std::uint64_t blocks) const {
    stats_.read_failed();
    if (damage_told_.exchange(true)) return;
    spdlog::warn("history: {} damaged blocks were left out of an answer", blocks);
  }

  void run() {
    setpriority(PRIO_PROCESS, 0, kNiceOfHistory);  // of one thread, on Linux
    Guard guard;
    std::unique_lock lock(mutex_);
    auto next_save = Clock::now();
    for (;;) {
      const auto ready = [&] { return stopping_ || !queue_.empty() || asked_ != answered_; };
      if (given_) {
        wake_.wait_until(lock, next_save, ready);
      } else {
        wake_.wait(lock, [&] { return ready() || given_; });
        if (!ready() && Clock::now() < next_save) continue;
      }
      const std::deque<Drain> drains = std::exchange(queue_, {});
      const std::uint64_t asked = asked_;
      const bool to_save = asked != answered_ || (given_ && Clock::now() >= next_save);
      const bool last = stopping_;
      lock.unlock();
      Result<void> saved = fail("writing history failed", "see the log");  // by an exception
      guard.run("writing history", [&] { saved = work(drains, to_save, last); });
      if (to_save) next_save = Clock::now() + kBetweenSaves;
      lock.lock();
      given_ = !inbox_.empty();
      answered_ = asked;
      last_ = saved;
      answered_changed_.notify_all();
      if (last && queue_.empty()) return;
    }
  }

  Result<void> work(const std::deque<Drain>& drains, bool to_save, bool last) {
    for (const Drain& drain : drains) to_save = writer_.add(drain.at, *drain.families) || to_save;
    if (suspect_.exchange(false) && !last) writer_.look_for_damage();
    if (last) return writer_.close();
    return to_save ? writer_.save() : Result<void>();
  }

  mutable std::mutex failure_mutex_;
  mutable std::string read_failure_;  // as it was logged; empty: the last answer was given
  mutable std::atomic<bool> damage_told_{false};
  mutable std::atomic<bool> suspect_{false};  // a reader has met damage
  mutable ReaderPool readers_;
  Writer writer_;  // of the thread, once it runs

  std::mutex mutex_;
  std::condition_variable wake_, answered_changed_;
  std::deque<Drain> queue_;
  bool stopping_ = false;
  bool given_ = false;                      // something is in the inbox
  std::uint64_t asked_ = 0, answered_ = 0;  // flushes
  Result<void> last_;
  std::thread thread_;
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const Options& options) {
  auto impl = std::make_unique<Impl>(options);
  if (auto started = impl->start(); !started) return tl::unexpected(started.error());
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

void Store::add(double unix_seconds, Families families, double boot_seconds) {
  if (!families) return;
  if (!is_a_time(unix_seconds) || !std::isfinite(boot_seconds)) {
    impl_->stats_.dropped(Drop::time);
    return;
  }
  impl_->add({std::llround(unix_seconds * 1000), std::llround(boot_seconds * 1000)},
             std::move(families));
}

void Store::add(double unix_seconds, Families families) {
  add(unix_seconds, std::move(families), boot_seconds_now());
}

void Store::add(double unix_seconds, const std::vector<metrics::Family>& families) {
  add(unix_seconds, std::make_shared<const std::vector<metrics::Family>>(families));
}

analysis::Window Store::window(double from, double to,
                               const history::History::Filter& filter) const {
  return impl_->read([&](Reader& reader) { return store::window(reader, from, to, filter); })
      .value_or(analysis::Window{});
}

std::vector<history::Trend> Store::trends(const history::Selector& selector, double from, double to,
                                          double step) const {
  return impl_
      ->read([&](Reader& reader) { return store::trends(reader, selector, from, to, step); })
      .value_or(std::vector<history::Trend>{});
}

std::optional<metrics::Family> Store::family(const std::string& name) const {
  return impl_->read([&](Reader& reader) { return store::family(reader, name); })
      .value_or(std::nullopt);
}

std::optional<std::pair<double, double>> Store::range() const {
  const auto range = impl_->stats_.range();
  if (!range) return std::nullopt;
  return std::pair(static_cast<double>(range->from) / 1e3, static_cast<double>(range->to) / 1e3);
}

void Store::add_event(analysis::Event event) {
  if (!is_a_time(event.at)) {
    impl_->stats_.dropped(Drop::time);
    return;
  }
  if (!impl_->inbox_.add(std::move(event))) impl_->stats_.dropped(Drop::disk);
  impl_->given();
}

std::vector<analysis::Event> Store::events(double from, double to) const {
  // Before the file is read: what is written meanwhile may be there twice, but is not missed.
  const Inbox::Batch waiting = impl_->inbox_.pending();
  auto events = impl_->read([&](Reader& r) { return r.events(from, to, kMostEventsAnswered); })
                    .value_or(std::vector<analysis::Event>{});
  const auto same = [](const analysis::Event& a, const analysis::Event& b) {
    return std::abs(a.at - b.at) < 1e-3 && a.kind == b.kind && a.target == b.target &&
           a.text == b.text;
  };
  for (const analysis::Event& e : waiting.events) {
    const bool inside = e.at >= from && e.at <= to;
    if (inside && std::none_of(events.begin(), events.end(),
                               [&](const analysis::Event& known) { return same(known, e); }))
      events.push_back(e);
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  return events;
}

Result<void> Store::put_state(const std::string& key, std::string value) {
  auto put = impl_->inbox_.put_state(key, std::make_shared<const std::string>(std::move(value)));
  if (!put) impl_->stats_.dropped(Drop::disk);
  impl_->given();
  return put;
}

void Store::remove_state(const std::string& key) {
  if (!impl_->inbox_.put_state(key, nullptr)) impl_->stats_.dropped(Drop::disk);
  impl_->given();
}

std::optional<std::string> Store::get_state(const std::string& key) const {
  return find_state(key).value_or(std::nullopt);
}

Result<std::optional<std::string>> Store::find_state(const std::string& key) const {
  if (const auto waiting = impl_->inbox_.state(key)) {
    return *waiting ? std::optional(**waiting) : std::nullopt;
  }
  return impl_->read([&](Reader& r) { return r.state(key); });
}

Result<std::map<std::string, std::string>> Store::states(const std::string& prefix) const {
  // Before the file is asked: what is written meanwhile is in one of both.
  const Inbox::Batch waiting = impl_->inbox_.pending();
  auto known = impl_->read([&](Reader& r) { return r.states(prefix); });
  if (!known) return known;
  for (const auto& [key, state] : waiting.states) {
    if (!key.starts_with(prefix)) continue;
    if (state.value) {
      (*known)[key] = *state.value;
    } else {
      known->erase(key);
    }
  }
  return known;
}

Result<void> Store::put_report(Report report) {
  if (!is_a_time(report.created)) return fail("a report without a time", "", EINVAL);
  auto put = impl_->inbox_.put_report(std::make_shared<const Report>(std::move(report)));
  if (!put) impl_->stats_.dropped(Drop::disk);
  impl_->given();
  return put;
}

std::vector<Report> Store::reports() const {
  const Inbox::Batch waiting = impl_->inbox_.pending();
  auto reports = impl_->read([](Reader& r) { return r.reports(); }).value_or(std::vector<Report>{});
  for (const auto& [id, waits] : waiting.reports) {
    std::erase_if(reports, [&](const Report& known) { return known.id == id; });
    Report head = *waits.value;
    head.bytes = head.body.size();
    head.body.clear();
    reports.push_back(std::move(head));
  }
  std::stable_sort(reports.begin(), reports.end(),
                   [](const Report& a, const Report& b) { return a.created > b.created; });
  return reports;
}

std::optional<Report> Store::report(const std::string& id) const {
  if (const auto waiting = impl_->inbox_.report(id)) return *waiting;
  return impl_->read([&](Reader& r) { return r.report(id); }).value_or(std::nullopt);
}

Result<void> Store::flush() { return impl_->flush(); }

void Store::collect(std::vector<metrics::Family>& out) const { impl_->stats_.collect(out); }

}  // namespace nz::store
