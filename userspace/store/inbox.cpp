#include "userspace/store/inbox.h"

#include <fmt/format.h>

#include <cerrno>

namespace nz::store {
namespace {

constexpr std::size_t kMostEventsWaiting = 1024;
constexpr std::size_t kMostText = 4096;                     // of an event
constexpr std::size_t kMostBytes = std::size_t{64} << 20U;  // in all
constexpr std::size_t kLargest = std::size_t{16} << 20U;    // one
constexpr std::size_t kLongestKey = 1024;

std::size_t bytes_of(const std::string& key, const Inbox::Value& value) {
  return key.size() + (value ? value->size() : 0);
}
std::size_t bytes_of(const Report& report) {
  return report.id.size() + report.title.size() + report.body.size();
}

// Not within a character of UTF-8.
void cut(std::string& text) {
  if (text.size() <= kMostText) return;
  std::size_t end = kMostText;
  const auto continues = [&] { return (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U; };
  for (int i = 0; i < 3 && continues(); i++) end--;
  text.resize(end);
}

}  // namespace

bool Inbox::add(analysis::Event event) {
  cut(event.text);
  const std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
  if (events_.size() <= kMostEventsWaiting) return true;
  events_.pop_front();
  events_begin_++;
  return false;
}

Result<void> Inbox::make_room(std::size_t bytes, std::size_t instead_of) const {
  if (bytes > kLargest)
    return fail(
        fmt::format("{} bytes are more than the {} that history takes at once", bytes, kLargest),
        "", EFBIG);
  if (bytes_ - instead_of + bytes > kMostBytes)
    return fail(fmt::format("{} MB wait for the disk already", bytes_ >> 20U),
                "see nearzero_store_available, and the log", ENOSPC);
  return {};
}

Result<void> Inbox::put_state(const std::string& key, Value value) {
  if (key.size() > kLongestKey)
    return fail(fmt::format("a state's name has {} bytes, {} at most", key.size(), kLongestKey),
                "give it a shorter one", ENAMETOOLONG);
  const std::lock_guard lock(mutex_);
  const auto known = states_.find(key);
  const std::size_t before = known == states_.end() ? 0 : bytes_of(key, known->second.value);
  const std::size_t bytes = bytes_of(key, value);
  if (auto room = make_room(bytes, before); !room) return room;
  bytes_ += bytes - before;
  states_[key] = {std::move(value), ++version_};
  return {};
}

Result<void> Inbox::put_report(std::shared_ptr<const Report> report) {
  const std::lock_guard lock(mutex_);
  const auto known = reports_.find(report->id);
  const std::size_t before = known == reports_.end() ? 0 : bytes_of(*known->second.value);
  const std::size_t bytes = bytes_of(*report);
  if (auto room = make_room(bytes, before); !room) return room;
  bytes_ += bytes - before;
  const std::string id = report->id;
  reports_[id] = {std::move(report), ++version_};
  return {};
}

std::optional<Inbox::Value> Inbox::state(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto known = states_.find(key);
  return known == states_.end() ? std::nullopt : std::optional(known->second.value);
}

std::shared_ptr<const Report> Inbox::report(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto known = reports_.find(id);
  return known == reports_.end() ? nullptr : known->second.value;
}

Inbox::Batch Inbox::pending() const {
  const std::lock_guard lock(mutex_);
  return {{events_.begin(), events_.end()}, events_begin_ + events_.size(), states_, reports_};
}

bool Inbox::empty() const {
  const std::lock_guard lock(mutex_);
  return events_.empty() && states_.empty() && reports_.empty();
}

void Inbox::written(const Batch& batch) {
  const std::lock_guard lock(mutex_);
  while (!events_.empty() && events_begin_ < batch.events_until) {
    events_.pop_front();
    events_begin_++;
  }
  for (const auto& [key, state] : batch.states) {
    const auto known = states_.find(key);
    if (known == states_.end() || known->second.version != state.version) continue;
    bytes_ -= bytes_of(key, known->second.value);
    states_.erase(known);
  }
  for (const auto& [id, report] : batch.reports) {
    const auto known = reports_.find(id);
    if (known == reports_.end() || known->second.version != report.version) continue;
    bytes_ -= bytes_of(*known->second.value);
    reports_.erase(known);
  }
}

}  // namespace nz::store
