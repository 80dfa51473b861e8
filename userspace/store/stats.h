// What the store counts about itself. Of all threads.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "analysis/histogram.h"
#include "userspace/metrics/family.h"
#include "userspace/store/database.h"
#include "userspace/store/level.h"

namespace nz::store {

/// Why something was not kept.
enum class Drop : std::uint8_t {
  queue,         ///< a drain replaced by the next one: the writer was behind
  disk,          ///< an interval, event, state or report that waited too long for the disk
  series_limit,  ///< a sample of a series beyond Options::most_series
  not_a_number,  ///< a counter's sample
  time,          ///< a drain without a valid time
};
inline constexpr std::size_t kDropCauses = 5;

class Stats {
 public:
  void dropped(Drop cause, std::uint64_t n = 1);
  void wrote(Level level, std::uint64_t cells);
  void wrote_in(std::uint64_t ns);
  void failed();
  void read_failed(std::uint64_t n = 1);
  void damaged();  ///< a file was set aside
  void available(bool is);
  void size(const FileSizes& sizes, std::size_t series);
  /// From when on there is something, and until when.
  void range(Level level, std::optional<Interval> range);

  [[nodiscard]] std::optional<Interval> range() const;
  void collect(std::vector<metrics::Family>& out) const;

 private:
  mutable std::mutex mutex_;
  std::array<std::uint64_t, kDropCauses> drops_{};
  std::array<std::uint64_t, kLevelCount> cells_{};
  std::array<std::optional<Interval>, kLevelCount> ranges_{};
  analysis::Histogram commits_;
  std::uint64_t write_errors_ = 0, read_errors_ = 0, damaged_ = 0;
  bool available_ = false;
  FileSizes sizes_;
  std::size_t series_ = 0;
};

}  // namespace nz::store
