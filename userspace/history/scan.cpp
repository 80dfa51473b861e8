#include "userspace/history/scan.h"

#include <algorithm>

namespace nz::history {
namespace {

bool counts(std::uint16_t slot) { return slot <= kOverflowSlot; }

void note_fall(State& state) {
  state.fell = std::any_of(state.deltas.begin(), state.deltas.end(),
                           [](const auto& d) { return counts(d.first) && d.second < 0; });
}

void replace(State& state, const Flat& next) {
  state.deltas.clear();
  for (std::size_t slot = 0; slot < kSlots; slot++) {
    if (next[slot] == (*state.flat)[slot]) continue;
    state.deltas.emplace_back(static_cast<std::uint16_t>(slot),
                              static_cast<std::int64_t>(next[slot] - (*state.flat)[slot]));
  }
  note_fall(state);
  *state.flat = next;
}

// It is new, or was forgotten meanwhile.
void begin(State& state, const std::shared_ptr<const Series>& series) {
  state.series = series;
  state.value = series->base;
  if (series->type != metrics::Type::histogram) return;
  state.flat = std::make_unique<Flat>();
  if (series->histogram_base) *state.flat = flatten(*series->histogram_base, {});
}

void apply_deltas(Flat& flat, const Deltas& deltas) {
  for (const auto& [slot, delta] : deltas) flat[slot] += static_cast<std::uint64_t>(delta);
}

}  // namespace

void Scan::run(std::size_t first, std::size_t last, const std::function<void(std::size_t)>& point) {
  std::size_t at = std::min(first, contents_.entries().size());
  // The head alone needs nothing before it; anything else begins at a whole point.
  while (at < contents_.entries().size() && !contents_.entries()[at].step->whole) at--;
  for (; at <= last && at < contents_.size(); at++) {
    if (at < contents_.entries().size()) {
      read(*contents_.entries()[at].step);
    } else {
      read(*contents_.head);
    }
    if (at >= first) point(at);
  }
}

void Scan::use(const std::shared_ptr<const Table>& table) {
  if (table == table_) return;
  table_ = table;
  for (State& state : states_) {  // those that the new table does not have are gone
    state.present = false;
    state.deltas.clear();
    state.fell = false;
  }
  state_of_.assign(table->series.size(), -1);
  for (std::size_t place = 0; place < table->series.size(); place++) {
    const auto& series = table->series[place];
    if (!wanted_(*series)) continue;
    const auto [known, fresh] =
        by_key_.emplace(key_of(series->name, series->labels, series->type), states_.size());
    State& state = fresh ? states_.emplace_back() : states_[known->second];
    if (state.series != series) begin(state, series);
    state_of_[place] = static_cast<std::ptrdiff_t>(known->second);
  }
}

void Scan::read(const Step& step) {
  use(step.table);
  Bytes in(step.bytes);
  Deltas whole;
  for (std::size_t place = 0; place < state_of_.size(); place++) {
    const bool histogram = step.table->series[place]->type == metrics::Type::histogram;
    if (state_of_[place] < 0) {
      histogram ? skip_histogram(in) : skip_scalar(in);
      continue;
    }
    State& state = states_[static_cast<std::size_t>(state_of_[place])];
    if (!histogram) {
      state.value_before = state.value;
      state.value = get_scalar(in, step.whole ? 0 : state.value, state.present);
    } else if (step.whole) {
      get_histogram(in, whole, state.present);
      Flat next{};
      apply_deltas(next, whole);
      replace(state, next);
    } else {
      get_histogram(in, state.deltas, state.present);
      note_fall(state);
      apply_deltas(*state.flat, state.deltas);
    }
    state.known = true;
  }
}

void Scan::read(const Head& head) {
  use(head.table);
  for (std::size_t place = 0; place < state_of_.size(); place++) {
    if (state_of_[place] < 0) continue;
    State& state = states_[static_cast<std::size_t>(state_of_[place])];
    const Cell& cell = head.cells[place];
    state.value_before = state.value;
    state.value = cell.value;
    state.present = cell.present;
    state.known = true;
    if (state.flat) {
      replace(state, cell.histogram ? flatten(*cell.histogram, cell.extremes) : Flat{});
    }
  }
}

}  // namespace nz::history
