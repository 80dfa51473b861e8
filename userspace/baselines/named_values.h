// Named baselines as rules ask for them: those of the agent are answered from memory and looked up
// beside, those on recorded history are read.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "analysis/baseline/named.h"
#include "userspace/alerts/facts.h"
#include "userspace/store/reader.h"
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

/// Of a file that is only read, for rules on history: each baseline is read when it is asked for
/// first. Of one thread.
class StoredValues {
 public:
  /// `reader` outlives it.
  explicit StoredValues(store::Reader& reader) : reader_(reader) {}

  std::optional<alerts::BaselineValue> value(const analysis::Quantity& of, const std::string& name);
  /// Baselines that are there and cannot be read, a line each.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Known {
    std::optional<analysis::NamedBaseline> baseline;
    std::map<std::string, std::optional<alerts::BaselineValue>> values;  // by text_of()
  };
  Known& known(const std::string& name);

  store::Reader& reader_;
  std::map<std::string, Known> by_name_;
  std::vector<std::string> problems_;
};

}  // namespace nz::baselines
