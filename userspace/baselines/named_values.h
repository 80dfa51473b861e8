// Named baselines as rules of the agent ask for them: answered from memory, looked up beside.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "analysis/baseline/named.h"
#include "userspace/alerts/facts.h"
#include "userspace/store/store.h"

namespace nz::baselines {

/// A quantile, a mean, a rate of a histogram; the value of a gauge; the rate of a counter: of all
/// series that have the quantity's labels, together. Nothing where the baseline does not have it.
std::optional<alerts::BaselineValue> value_of(const analysis::NamedBaseline& baseline,
                                              const analysis::Quantity& of);

/// Any thread may ask.
class NamedValues {
 public:
  /// `store` outlives it.
  explicit NamedValues(store::Store& store) : store_(store) {}

  /// Never waits: what was not asked for within the last hour is known after the next refresh().
  [[nodiscard]] std::optional<alerts::BaselineValue> value(const analysis::Quantity& of,
                                                           const std::string& name);
  /// Reads what was asked for, and what was kept anew or removed since. Once a minute; waits for
  /// the disk.
  void refresh();

  /// Questions beyond those that are remembered.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  /// Baselines that could not be read, or were damaged.
  [[nodiscard]] std::uint64_t errors() const { return errors_; }

 private:
  struct Asked {
    analysis::Quantity of;
    bool looked_up = false;
    int quiet = 0;  // refreshes since it was asked last
    std::optional<alerts::BaselineValue> value;
  };
  struct Known {
    std::string head;                    // as it was read; empty: there is none of this name
    std::map<std::string, Asked> asked;  // by text_of()
  };

  void refresh(const std::string& name);

  store::Store& store_;
  std::mutex mutex_;  // of the next two
  std::map<std::string, Known> by_name_;
  std::size_t asked_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0, errors_ = 0;
};

}  // namespace nz::baselines
