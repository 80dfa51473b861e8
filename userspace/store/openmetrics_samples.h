// From the samples of OpenMetrics text to what our series measure: which of them are counters, and
// the many samples of a histogram as one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "analysis/classic_buckets.h"
#include "userspace/base/result.h"
#include "userspace/history/series.h"
#include "userspace/store/openmetrics_line.h"

namespace nz::store {

/// A histogram since it was created.
struct ClassicState {
  analysis::ClassicCounts cumulative{};
  std::uint64_t sum_ns = 0;
};

/// One series at one moment.
struct Measured {
  history::Series series;
  std::int64_t at = 0;                                    ///< Unix milliseconds
  double value = 0;                                       ///< counters and gauges
  std::shared_ptr<const ClassicState> classic = nullptr;  ///< histograms
  std::optional<std::int64_t> created = std::nullopt;     ///< Unix milliseconds, where it was told
};

/// A histogram is taken as one where it looks as our own export writes it: its type told, in our
/// classic buckets, all samples of a moment together. Any other comes as one counter for each
/// bucket, its count and its sum. Where no type is told, the name decides: _total, and what belongs
/// to buckets or quantiles that came before it.
class OpenMetricsSamples {
 public:
  using Take = std::function<Result<void>(Measured&&)>;
  /// `by_bucket`: names of the histograms of that other kind. One that turns out to be so halfway
  /// is added: read the text again from its begin to have all of it alike.
  OpenMetricsSamples(std::set<std::string>& by_bucket, Take take)
      : by_bucket_(by_bucket), take_(std::move(take)) {}

  /// Lines in their order. What they measure is given when the next one is read, because the time
  /// at which a counter was created may follow it. Error: of the line, or what `take` gave.
  Result<void> type(OpenMetricsType&& type);
  Result<void> sample(OpenMetricsSample&& sample);
  Result<void> end();

  /// Whether a histogram turned out to be of that other kind after some of it was taken as one, so
  /// that what was given is not all alike.
  [[nodiscard]] bool turned() const { return turned_; }

 private:
  enum class Role : std::uint8_t { gauge, counter, created, part };
  struct Point {
    metrics::Labels labels;
    std::int64_t at = 0;
    std::size_t buckets = 0;
    std::optional<double> count;
    bool has_sum = false;
    ClassicState state;
  };
  struct Created {
    metrics::Labels labels;
    std::int64_t at = 0, created = 0;
  };

  Role role_of(const OpenMetricsSample& sample);
  Role role_by_name(const OpenMetricsSample& sample);
  Result<void> settle();
  void leave_point();
  void note_whole();
  void take_by_bucket(const std::string& family);
  Result<void> take_created(const OpenMetricsSample& sample);
  /// False: it is no part of a histogram as ours.
  Result<bool> take_part(const OpenMetricsSample& sample);
  Result<void> hold(Measured&& measured);

  std::set<std::string>& by_bucket_;
  const Take take_;
  OpenMetricsType family_;
  bool begun_ = false;           // it has samples that are no series of their own
  std::set<std::string> whole_;  // families of which that is so
  bool turned_ = false;
  std::set<std::string> bases_;  // that have buckets or quantiles, with no type told
  std::optional<Point> point_;   // of a histogram, not all of which has been read
  std::optional<Created> created_;
  std::optional<Measured> held_;
};

}  // namespace nz::store
