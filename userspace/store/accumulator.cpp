#include "userspace/store/accumulator.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace nz::store {

using history::Flat;
using metrics::Type;

namespace {

// Two clocks that are read one after the other, and slewing: more is a clock that was set.
constexpr std::int64_t kJump = 2000;
// What has not been there for so long is forgotten, as in history::History.
constexpr std::int64_t kForget = 3'600'000;

const analysis::Histogram& nothing() {
  static const analysis::Histogram empty;
  return empty;
}

struct Difference {
  bool grew = false, fell = false;
};
Difference compare(const analysis::Histogram& before, const analysis::Histogram& now) {
  bool grew = now.zero > before.zero || now.overflow > before.overflow;
  bool fell = now.zero < before.zero || now.overflow < before.overflow;
  for (std::size_t i = 0; i < NZ_BUCKETS; i++) {
    grew |= now.buckets[i] > before.buckets[i];
    fell |= now.buckets[i] < before.buckets[i];
  }
  return {grew, fell};
}

void add_growth(Flat& flat, const analysis::Histogram& before, const analysis::Histogram& now) {
  for (std::size_t i = 0; i < NZ_BUCKETS; i++) flat[i] += now.buckets[i] - before.buckets[i];
  flat[history::kZeroSlot] += now.zero - before.zero;
  flat[history::kOverflowSlot] += now.overflow - before.overflow;
  flat[history::kSumSlot] += now.sum_ns - before.sum_ns;
}

bool is_same(const history::Series& series, const metrics::Family& family,
             const metrics::Sample& sample) {
  return series.type == family.type && series.name == family.name && series.labels == sample.labels;
}

}  // namespace

struct Accumulator::State {
  history::Series series;
  std::uint32_t id = 0;
  unsigned seen = 0;                     // drains of this interval that had it
  std::int64_t last_seen = -1;           // boot_ms; -1: no sample was taken yet
  std::optional<double> counted_before;  // it was forgotten with so much, and is back

  double value = 0;
  double base = 0;            // counters: what growth counts from
  double before_restart = 0;  // counters: growth up to a restart in this interval
  double least = 0, most = 0, sum = 0;
  unsigned numbers = 0;  // gauges: what the sum is of

  std::shared_ptr<const analysis::Histogram> histogram, histogram_base;
  std::unique_ptr<Flat> histogram_before_restart;
  history::Extremes extremes;

  void take_histogram(const std::shared_ptr<const analysis::Histogram>& now) {
    const analysis::Histogram& before = histogram ? *histogram : nothing();
    const Difference difference = compare(before, *now);
    if (difference.fell) {
      if (!histogram_before_restart) histogram_before_restart = std::make_unique<Flat>();
      add_growth(*histogram_before_restart, histogram_base ? *histogram_base : nothing(), before);
      histogram_base = nullptr;
    }
    // Minimum and maximum are those of the last drain: they are worth something where values came.
    if (difference.grew || (difference.fell && now->count() != 0))
      extremes.merge({now->min_ns + 1, now->max_ns});
    histogram = now;
  }

  // What is no number is only a last value, or all there is.
  void take_gauge(double now) {
    value = now;
    const bool first = numbers == 0;
    if (std::isnan(now) && !first) return;
    least = first || now < least ? now : least;
    most = first || now > most ? now : most;
    sum = first ? now : sum + now;
    numbers += std::isnan(now) ? 0U : 1U;
  }

  void take_counter(double now) {
    if (now < value) {
      before_restart += value - base;
      base = 0;
    }
    value = now;
  }

  // All that a counter or histogram has counted.
  [[nodiscard]] double counted() const {
    if (series.type != Type::histogram) return value;
    return histogram ? static_cast<double>(histogram->count()) : 0;
  }

  // What it counted while it was not there is of no interval. One that has less than before began
  // at 0 meanwhile, as at any restart.
  void come_back() {
    if (counted() >= *counted_before) start_here();
    counted_before.reset();
  }

  void start_here() {
    base = value;
    before_restart = 0;
    histogram_base = histogram;
    histogram_before_restart = nullptr;
    extremes = {};
    seen = 0;
    numbers = 0;
  }

  [[nodiscard]] Cell cell() const {
    Cell cell;
    cell.type = series.type;
    cell.value = value;
    if (series.type == Type::counter) cell.growth = before_restart + (value - base);
    if (series.type == Type::gauge) {
      cell.least = least;
      cell.most = most;
      cell.mean = numbers == 0 ? value : sum / numbers;
    }
    if (series.type == Type::histogram) fill(cell.slots);
    return cell;
  }

 private:
  void fill(history::Deltas& slots) const {
    if (histogram == histogram_base && !histogram_before_restart) return;
    Flat flat = histogram_before_restart ? *histogram_before_restart : Flat{};
    add_growth(flat, histogram_base ? *histogram_base : nothing(),
               histogram ? *histogram : nothing());
    flat[history::kLeastSlot] = extremes.least_plus_one;
    flat[history::kMostSlot] = extremes.most;
    slots = slots_of(flat);
  }
};

Accumulator::Accumulator(std::int64_t resolution_ms, IdOf id_of)
    : resolution_(std::max<std::int64_t>(resolution_ms, 1)), id_of_(std::move(id_of)) {}

Accumulator::~Accumulator() = default;

const history::Series& Accumulator::drains_series() {
  static const history::Series series{"nearzero_store_drains", {}, Type::gauge};
  return series;
}

std::optional<Row> Accumulator::add(const Moment& now,
                                    const std::vector<metrics::Family>& families) {
  std::optional<Row> done;
  if (!last_) {
    begin_ = now.unix_ms;
  } else {
    const std::int64_t elapsed = std::max<std::int64_t>(now.boot_ms - last_->boot_ms, 0);
    const std::int64_t told = now.unix_ms - last_->unix_ms;
    if (told < 0 || std::abs(told - elapsed) > kJump) {
      jump_ += told - elapsed;
      done = end(last_->unix_ms);
      begin_ = now.unix_ms - elapsed;
    }
  }
  last_ = now;
  take(families);
  if (first_) {
    first_ = false;
    for (const auto& state : states_) state->start_here();
    drains_ = 0;
  } else if (!done && now.unix_ms / resolution_ > begin_ / resolution_) {
    done = end(now.unix_ms);
  }
  return done;
}

std::optional<Row> Accumulator::finish() { return last_ ? end(last_->unix_ms) : std::nullopt; }

std::optional<Row> Accumulator::end(std::int64_t to_ms) {
  if (to_ms <= begin_ || drains_ == 0) return std::nullopt;
  Row row{{begin_, to_ms}, {}};
  row.cells.reserve(states_.size() + 1);
  if (const auto id = id_of_(drains_series())) {
    Cell cell;
    cell.value = cell.least = cell.most = cell.mean = drains_;
    row.cells.emplace_back(*id, std::move(cell));
  }
  for (const auto& state : states_) {
    if (state->seen == 0) continue;
    row.cells.emplace_back(state->id, state->cell());
    state->start_here();
  }
  std::sort(row.cells.begin(), row.cells.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  begin_ = to_ms;
  drains_ = 0;
  forget();
  return row;
}

void Accumulator::forget() {
  const std::int64_t now = last_->boot_ms;
  const auto gone = [&](const auto& state) { return now - state->last_seen > kForget; };
  if (std::none_of(states_.begin(), states_.end(), gone)) return;
  order_.clear();
  for (const auto& state : states_) {
    if (!gone(state)) continue;
    const std::string key =
        history::key_of(state->series.name, state->series.labels, state->series.type);
    by_key_.erase(key);
    if (state->series.type == Type::gauge) continue;
    const bool sampled = state->last_seen >= 0;
    if (!sampled && !state->counted_before) continue;
    forgotten_.put(key, sampled ? state->counted() : *state->counted_before);
  }
  std::erase_if(states_, gone);
}

Accumulator::State* Accumulator::state_of(const metrics::Family& family,
                                          const metrics::Sample& sample, std::size_t place) {
  if (place < order_.size() && is_same(order_[place]->series, family, sample)) return order_[place];
  std::string key = history::key_of(family.name, sample.labels, family.type);
  if (const auto known = by_key_.find(key); known != by_key_.end()) return known->second;
  history::Series series{family.name, sample.labels, family.type};
  const auto id = id_of_(series);
  if (!id) return nullptr;
  State& state = *states_.emplace_back(std::make_unique<State>());
  state.series = std::move(series);
  state.id = *id;
  state.counted_before = forgotten_.take(key);
  by_key_.emplace(std::move(key), &state);
  return &state;
}

void Accumulator::take(const std::vector<metrics::Family>& families) {
  drains_++;
  std::vector<State*> order;
  order.reserve(order_.size());
  for (const metrics::Family& family : families) {
    for (const metrics::Sample& sample : family.samples) {
      State* state = state_of(family, sample, order.size());
      if (state == nullptr) continue;
      order.push_back(state);
      take(*state, sample);
    }
  }
  order_ = std::move(order);
}

void Accumulator::take(State& state, const metrics::Sample& sample) {
  switch (state.series.type) {
    case Type::histogram:
      if (!sample.histogram) return;
      state.take_histogram(sample.histogram);
      break;
    case Type::counter:
      if (!std::isfinite(sample.value)) {
        left_out_++;
        return;
      }
      state.take_counter(sample.value);
      break;
    case Type::gauge:
      state.take_gauge(sample.value);
      break;
  }
  if (state.counted_before) state.come_back();
  state.seen++;
  state.last_seen = last_->boot_ms;
}

std::int64_t Accumulator::take_jump() { return std::exchange(jump_, 0); }
std::uint64_t Accumulator::take_left_out() { return std::exchange(left_out_, 0); }

}  // namespace nz::store
