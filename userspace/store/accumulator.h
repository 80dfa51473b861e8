// From cumulative families, drain by drain, to what each series did in each interval.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "userspace/history/forgotten.h"
#include "userspace/history/series.h"
#include "userspace/metrics/family.h"
#include "userspace/store/cell.h"

namespace nz::store {

/// A drain's time by the clock on the wall, which may be set, and by one that may not
/// (CLOCK_BOOTTIME), both in milliseconds.
struct Moment {
  std::int64_t unix_ms = 0, boot_ms = 0;
};

/// Intervals end at the first drain after a multiple of `resolution_ms` on the wall clock, so that
/// minutes and hours are made of whole ones. The first drain is only where the others start from:
/// what a counter was before is nobody's. A series that appears later begins at 0; one that is back
/// after an hour or more begins with what it has, unless that is less than before.
class Accumulator {
 public:
  /// The number of a series; nothing: it is not to be kept.
  using IdOf = std::function<std::optional<std::uint32_t>(const history::Series&)>;
  Accumulator(std::int64_t resolution_ms, IdOf id_of);
  ~Accumulator();
  Accumulator(const Accumulator&) = delete;
  Accumulator& operator=(const Accumulator&) = delete;

  /// The interval that this drain ends, if it does. Where the clock was set meanwhile, the interval
  /// ends at the drain before, and the next one begins by the new clock.
  std::optional<Row> add(const Moment& now, const std::vector<metrics::Family>& families);
  /// The interval in progress, up to the last drain.
  std::optional<Row> finish();
  /// Milliseconds by which the clock was set since the last call; 0: it was not.
  std::int64_t take_jump();
  /// Samples left out since the last call because they are no number.
  std::uint64_t take_left_out();
  [[nodiscard]] std::size_t series() const { return states_.size(); }
  /// Whether a series was there in the last hour; by history::key_of.
  [[nodiscard]] bool has(const std::string& key) const { return by_key_.contains(key); }

  /// The family whose value in every interval is the number of drains that it holds: what was
  /// observed at all.
  static const history::Series& drains_series();

 private:
  struct State;
  void take(const std::vector<metrics::Family>& families);
  void take(State& state, const metrics::Sample& sample);
  State* state_of(const metrics::Family& family, const metrics::Sample& sample, std::size_t place);
  std::optional<Row> end(std::int64_t to_ms);
  void forget();

  const std::int64_t resolution_;
  const IdOf id_of_;
  std::optional<Moment> last_;
  std::int64_t begin_ = 0;
  bool first_ = true;
  unsigned drains_ = 0;  // of this interval
  std::int64_t jump_ = 0;
  std::uint64_t left_out_ = 0;
  std::vector<std::unique_ptr<State>> states_;
  std::unordered_map<std::string, State*> by_key_;
  history::Forgotten forgotten_;
  std::vector<State*> order_;  // as the last drain had them: mostly as the next one has
};

}  // namespace nz::store
