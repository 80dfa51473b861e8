// History from OpenMetrics text, in two passes, or three. A sample tells when its interval ended,
// not when it began: the first pass finds how far the samples of each series are apart.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "userspace/store/import_text.h"
#include "userspace/store/openmetrics_samples.h"
#include "userspace/store/total.h"

namespace nz::store {

/// The distance that most samples of a series have, in two numbers: a candidate that each distance
/// like it confirms and each other one contests (the majority vote of Boyer and Moore).
class Cadence {
 public:
  void add(std::int64_t ms);
  [[nodiscard]] std::int64_t step() const { return step_; }  ///< ms; 0: none was seen

 private:
  std::int64_t step_ = 0;
  std::uint32_t votes_ = 0;
};

/// What is known of the text, and of each series between two of its samples: memory grows with the
/// number of series, not of samples.
struct OpenMetricsSurvey {
  struct Joined {
    history::Series series;
    Interval interval;
    Total total;
  };
  struct Series {
    Cadence cadence;
    std::int64_t last = 0;  ///< time of the latest sample; 0: there was none
    // Of the second pass:
    double value = 0;
    std::shared_ptr<const ClassicState> classic;
    std::optional<std::int64_t> created;
    bool whole = false;  ///< a histogram that was created within its first interval
    std::unique_ptr<Joined> joined;
  };
  std::unordered_map<std::string, Series> series;  ///< by set_key_of()
  std::set<std::string> by_bucket;                 ///< see OpenMetricsSamples
  /// A histogram was found to be by bucket after some of it was surveyed as one: neither its steps
  /// nor the number of its series are known before it is surveyed again.
  bool again = false;
  std::array<std::uint64_t, kLevelCount> distances{};

  /// That of most distances: raw below 30 s, minute below half an hour, else hour; minute where
  /// there is none.
  [[nodiscard]] Level level() const;
};

/// The first pass: fills `survey`, of which only `by_bucket` counts from one before, and gives no
/// points. To be repeated while it leaves `again`; each time `by_bucket` has grown. Error: a line
/// that cannot be read, more than 200,000 series, no `# EOF` at the end.
std::unique_ptr<LineReader> openmetrics_survey(OpenMetricsSurvey& survey);

/// The second pass, over the same text.
///
/// An interval ends with its sample and begins with the one before, or one usual step earlier where
/// that is missing: at the first sample, and behind a hole (over 2.5 steps). A counter grows by the
/// difference of two samples up to an hour (or 2.5 steps) apart, in the interval between them.
/// After longer nothing is known of when that was; one that fell, or that was created anew, grew
/// from 0. Its first sample is only where it counts from, unless it was created within that
/// interval. A histogram that was, counts all there is: so our own export tells them.
///
/// `asked`: the level; samples closer together than half its step are joined. Nothing: each is one
/// interval, of the level that the survey tells.
std::unique_ptr<LineReader> openmetrics_reader(OpenMetricsSurvey& survey,
                                               std::optional<Level> asked);

}  // namespace nz::store
