// History on disk as a recording: what the families were at the end of each interval.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "userspace/alerts/recording.h"
#include "userspace/alerts/stored/stored_lists.h"
#include "userspace/store/reader.h"

namespace nz::alerts {

/// Of each time the finest intervals that there are: 10 s, a minute, an hour. Counters and
/// histograms begin at 0 where it begins. Lists of what was found are of each moment, too. Memory:
/// an hour of the series, a day of hours, and some MB.
class StoredMoments : public Moments {
 public:
  /// Series of these families; from `from` to `to`, Unix seconds (0: to the ends of what
  /// there is). `reader` outlives it. Error: of the file, or it has nothing of that time.
  static Result<std::unique_ptr<StoredMoments>> open(store::Reader& reader,
                                                     std::set<std::string> families, double from,
                                                     double to);

  /// An error ends it.
  Result<std::optional<Moment>> next() override;
  /// Seconds of history that have been read.
  [[nodiscard]] std::size_t done() const override;
  /// Seconds of history that there are to give.
  [[nodiscard]] std::size_t all() const;
  /// What of the lists could not be read, a line each.
  [[nodiscard]] const std::vector<std::string>& problems() const { return lists_.problems(); }

 private:
  struct Total {
    double value = 0;
    std::shared_ptr<const analysis::Histogram> histogram;
  };

  StoredMoments(store::Reader& reader, StoredLists lists)
      : reader_(reader), lists_(std::move(lists)) {}
  [[nodiscard]] store::Level level_at(std::int64_t from, std::int64_t to) const;
  Result<void> read_chunk();
  void add(std::size_t series, const store::Interval& interval, const store::Cell& cell,
           metrics::Sample& sample);

  store::Reader& reader_;
  const StoredLists lists_;
  std::vector<store::StoredSeries> series_;
  std::vector<Total> totals_;  // as series_
  std::array<std::optional<store::Interval>, store::kLevelCount> ranges_;
  std::int64_t begin_ = 0, at_ = 0, end_ = 0;  // Unix ms; at_: what comes before has been read
  std::deque<Moment> waiting_;                 // without what StoredLists::fill() gives
  bool began_ = false, failed_ = false;
};

}  // namespace nz::alerts
