// The histograms by key, taken out of the kernel interval by interval.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "analysis/histogram.h"
#include "nearzero/abi.h"
#include "userspace/loader/object.h"

namespace nz::trace {

/// What tells one row of the output from another.
struct RowKey {
  uint32_t series = 0;  ///< without the target's slot
  uint64_t number = 0;
  uint32_t id = 0;
  std::string comm;
  int cpu = -1;  ///< -1: all CPUs together

  auto operator<=>(const RowKey&) const = default;
};

using Rows = std::map<RowKey, analysis::Histogram>;

class Recorder {
 public:
  Recorder(const loader::Object& object, bool by_cpu);

  /// Takes what was recorded in epochs before the current one, and frees its memory. The caller has
  /// just moved nz_control.epoch on; waits until nobody writes the old one any more.
  void take(Rows& into);

 private:
  [[nodiscard]] RowKey row_of(const nz_key& key) const;
  const loader::Object& object_;
  int map_;
  bool by_cpu_;
};

}  // namespace nz::trace
