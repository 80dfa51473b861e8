// What others gave to keep, until it is on the disk. Of all threads; nobody waits here.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "analysis/event.h"
#include "userspace/base/result.h"
#include "userspace/store/store.h"

namespace nz::store {

class Inbox {
 public:
  using Value = std::shared_ptr<const std::string>;  ///< null: it is to be removed
  template <class T>
  struct Versioned {
    T value;
    std::uint64_t version = 0;
  };
  struct Batch {
    std::vector<analysis::Event> events;
    std::uint64_t events_until = 0;  ///< number of the first event behind them
    std::map<std::string, Versioned<Value>> states;
    std::map<std::string, Versioned<std::shared_ptr<const Report>>> reports;
    [[nodiscard]] bool empty() const { return events.empty() && states.empty() && reports.empty(); }
  };

  /// False: the oldest one made room for it.
  bool add(analysis::Event event);
  /// Error: see Store::put_state().
  Result<void> put_state(const std::string& key, Value value);
  Result<void> put_report(std::shared_ptr<const Report> report);

  /// What waits under this name; nothing: nothing does.
  [[nodiscard]] std::optional<Value> state(const std::string& key) const;
  [[nodiscard]] std::shared_ptr<const Report> report(const std::string& id) const;
  [[nodiscard]] Batch pending() const;
  [[nodiscard]] bool empty() const;
  /// `batch` is on the disk: it goes, but for what has been given anew meanwhile.
  void written(const Batch& batch);

 private:
  [[nodiscard]] Result<void> make_room(std::size_t bytes, std::size_t instead_of) const;

  mutable std::mutex mutex_;
  std::deque<analysis::Event> events_;
  std::uint64_t events_begin_ = 0;  // number of the first
  std::map<std::string, Versioned<Value>> states_;
  std::map<std::string, Versioned<std::shared_ptr<const Report>>> reports_;
  std::uint64_t version_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace nz::store
