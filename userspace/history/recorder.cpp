#include "userspace/history/recorder.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace nz::history {
namespace {

// A window is decoded from the whole point before it: more in a group is smaller and slower.
constexpr std::size_t kGroup = 30;
// A timer that fires a little early must not cost a whole interval more.
constexpr double kEarly = 0.99;

const analysis::Histogram& nothing() {
  static const analysis::Histogram empty;
  return empty;
}

bool is_same(const Series& series, const metrics::Family& family, const metrics::Sample& sample) {
  return series.type == family.type && series.name == family.name && series.labels == sample.labels;
}

// A counter that is no number would make all that follows none: it is not there then.
bool says_something(metrics::Type type, const metrics::Sample& sample) {
  if (type == metrics::Type::histogram) return sample.histogram != nullptr;
  return type == metrics::Type::gauge || std::isfinite(sample.value);
}

// Minimum and maximum of a histogram are those of the last drain: they are worth something where
// values came.
Extremes extremes_since(const analysis::Histogram& before, const analysis::Histogram& now) {
  if (&before == &now || now.count() == before.count()) return {};
  return {now.min_ns + 1, now.max_ns};
}

// All that a counter or histogram has counted.
double counted(metrics::Type type, const Cell& cell) {
  if (type != metrics::Type::histogram) return cell.value;
  return cell.histogram ? static_cast<double>(cell.histogram->count()) : 0;
}

// What it counted while nobody knew it is of no interval.
void start_here(Series& series, Cell& cell) {
  series.base = cell.value;
  series.histogram_base = cell.histogram;
  cell.extremes = {};
}

std::shared_ptr<const Step> write(const Head& head, const std::vector<Cell>* before) {
  auto step = std::make_shared<Step>();
  step->whole = before == nullptr;
  step->table = head.table;
  for (std::size_t i = 0; i < head.cells.size(); i++) {
    const Cell& cell = head.cells[i];
    const Cell* last = before == nullptr ? nullptr : &(*before)[i];
    if (head.table->series[i]->type != metrics::Type::histogram) {
      put_scalar(step->bytes, last == nullptr ? 0 : last->value, cell.value, cell.present);
      continue;
    }
    const Flat zeros{};
    put_histogram(
        step->bytes,
        last == nullptr || !last->histogram ? zeros : flatten(*last->histogram, last->extremes),
        cell.histogram ? flatten(*cell.histogram, cell.extremes) : zeros, cell.present);
  }
  step->bytes.shrink_to_fit();
  return step;
}

std::size_t bytes_of(const Step& step) {
  return sizeof(Entry) + sizeof(Step) + step.bytes.capacity();
}

// The last step's cells and the newest: their histograms are shared with nobody for long.
std::size_t bytes_of(const std::vector<Cell>& cells) {
  std::size_t bytes = cells.capacity() * sizeof(Cell);
  for (const Cell& cell : cells) bytes += cell.histogram ? sizeof(analysis::Histogram) : 0;
  return bytes;
}

}  // namespace

std::string key_of(const std::string& name, const metrics::Labels& labels, metrics::Type type) {
  std::string key = name;
  key.push_back(static_cast<char>('0' + static_cast<int>(type)));
  for (const auto& [label, value] : labels) {
    key.push_back('\0');
    key += label;
    key.push_back('\0');
    key += value;
  }
  return key;
}

std::size_t Contents::nearest(double unix_seconds) const {
  const auto later = std::partition_point(kept->begin(), kept->end(),
                                          [&](const Entry& e) { return e.at < unix_seconds; });
  auto point = static_cast<std::size_t>(later - kept->begin());
  if (point == size()) return point - 1;  // later than everything, and there is no head
  if (point > 0 && unix_seconds - at(point - 1) <= at(point) - unix_seconds) point--;
  return point;
}

void Recorder::add(double unix_seconds, const std::vector<metrics::Family>& families) {
  if (!std::isfinite(unix_seconds) || unix_seconds <= 0) return;
  bool follows_kept = true;
  if (head_) {
    if (unix_seconds < head_->at) {
      const double step = interval_ > 0 ? std::min(interval_, options_.resolution) : 0;
      shift(unix_seconds - step - head_->at);
    } else if (unix_seconds > head_->at) {
      interval_ = unix_seconds - head_->at;
    }
    const bool full =
        entries_.empty() || head_->at - entries_.back().at >= options_.resolution * kEarly;
    if (full && unix_seconds > head_->at) {
      keep_head();
    } else {
      follows_kept = false;
    }
  }
  head_ = next_head(unix_seconds, families, follows_kept);
  head_bytes_ = bytes_of(head_->cells) + bytes_of(kept_) + head_->table->bytes + forgotten_.bytes();
  forget();
  publish();
}

// Readers run at a lower priority than the thread that adds: what they hold the lock for is the
// copy of one pointer, so that one that is preempted there keeps nobody waiting for long.
void Recorder::publish() {
  auto next = std::make_shared<Contents>();
  if (entries_changed_)
    shared_entries_ = std::make_shared<std::vector<Entry>>(entries_.begin(), entries_.end());
  entries_changed_ = false;
  next->kept = shared_entries_;
  next->head = head_;
  next->bytes = step_bytes_ + head_bytes_;
  next->evicted = evicted_;
  std::shared_ptr<const Contents> before = std::move(next);
  {
    const std::lock_guard lock(mutex_);
    contents_.swap(before);
  }
}  // what was known before goes without the lock

// The clock was set back: what was recorded before keeps its distances, and ends one interval
// before now. Otherwise it would lie in the future, in every window that is asked for.
void Recorder::shift(double seconds) {
  auto head = std::make_shared<Head>(*head_);
  head->at += seconds;
  for (Cell& cell : head->cells) cell.absent_since += seconds;
  entries_changed_ = true;
  for (Entry& entry : entries_) entry.at += seconds;
  head_ = std::move(head);
}

void Recorder::keep_head() {
  const bool whole =
      entries_.empty() || group_size_ >= kGroup || entries_.back().step->table != head_->table;
  auto step = write(*head_, whole ? nullptr : &kept_);
  kept_ = head_->cells;
  group_size_ = whole ? 1 : group_size_ + 1;
  entries_changed_ = true;
  step_bytes_ += bytes_of(*step);
  if (entries_.empty() || entries_.back().step->table != step->table) {
    step_bytes_ += step->table->bytes;
  }
  entries_.push_back({head_->at, std::move(step)});
}

std::shared_ptr<Head> Recorder::next_head(double at, const std::vector<metrics::Family>& families,
                                          bool follows_kept) {
  auto head = std::make_shared<Head>();
  head->at = at;
  // Every series that was there is absent, with its last value, until it is met.
  if (head_) head->cells = head_->cells;
  for (Cell& cell : head->cells) {
    if (cell.present) cell.absent_since = at;
    cell.present = false;
    if (follows_kept) cell.extremes = {};
  }
  // Before they are met: what is back after so long is as good as forgotten.
  const auto gone = [&](const Cell& cell) { return long_gone(cell, at); };
  if (std::any_of(head->cells.begin(), head->cells.end(), gone)) rebuild_table(at, {}, head->cells);
  const auto take = [&](Cell& cell, const metrics::Sample& sample) {
    cell.present = true;
    cell.value = sample.value;
    if (!sample.histogram) return;
    cell.extremes.merge(
        extremes_since(cell.histogram ? *cell.histogram : nothing(), *sample.histogram));
    cell.histogram = sample.histogram;
  };
  std::vector<std::shared_ptr<const Series>> fresh;
  std::vector<Cell> fresh_cells;
  std::unordered_map<std::string, std::size_t> fresh_places;
  std::size_t place = 0;  // families come in the same order nearly always
  for (const metrics::Family& family : families) {
    for (const metrics::Sample& sample : family.samples) {
      if (!says_something(family.type, sample)) continue;
      if (place < head->cells.size() && is_same(*table_->series[place], family, sample)) {
        take(head->cells[place++], sample);
        continue;
      }
      const std::string key = key_of(family.name, sample.labels, family.type);
      if (const auto known = places_.find(key); known != places_.end()) {
        take(head->cells[known->second], sample);
        place = known->second + 1;
      } else if (fresh_places.emplace(key, fresh.size()).second) {
        auto series = std::make_shared<Series>(Series{family.name, sample.labels, family.type});
        Cell& cell = fresh_cells.emplace_back();
        take(cell, sample);
        // One that has less than before began at 0 meanwhile, as at any restart.
        const std::optional<double> before = forgotten_.take(key);
        if (before && counted(family.type, cell) >= *before) start_here(*series, cell);
        fresh.push_back(std::move(series));
      }
    }
  }
  if (!fresh.empty() || !table_) {
    head->cells.insert(head->cells.end(), std::make_move_iterator(fresh_cells.begin()),
                       std::make_move_iterator(fresh_cells.end()));
    rebuild_table(at, std::move(fresh), head->cells);
  }
  head->table = table_;
  return head;
}

void Recorder::rebuild_table(double now, std::vector<std::shared_ptr<const Series>> fresh,
                             std::vector<Cell>& cells) {
  auto table = std::make_shared<Table>();
  if (table_) table->series = table_->series;
  table->series.insert(table->series.end(), fresh.begin(), fresh.end());
  // What has not been there for as long as anything is kept is forgotten.
  std::size_t n = 0;
  for (std::size_t i = 0; i < cells.size(); i++) {
    const Series& series = *table->series[i];
    if (long_gone(cells[i], now)) {
      if (series.type != metrics::Type::gauge)
        forgotten_.put(key_of(series.name, series.labels, series.type),
                       counted(series.type, cells[i]));
      continue;
    }
    if (n != i) {
      cells[n] = std::move(cells[i]);
      table->series[n] = std::move(table->series[i]);
    }
    n++;
  }
  cells.resize(n);
  table->series.resize(n);
  places_.clear();
  table->bytes = sizeof(Table) + n * sizeof(table->series[0]);
  for (std::size_t i = 0; i < n; i++) {
    const Series& series = *table->series[i];
    std::string key = key_of(series.name, series.labels, series.type);
    table->bytes += sizeof(Series) + key.size() + series.labels.size() * sizeof(series.labels[0]);
    if (series.histogram_base) table->bytes += sizeof(analysis::Histogram);
    places_.emplace(std::move(key), i);
  }
  table_ = std::move(table);
}

std::size_t Recorder::second_group() const {
  for (std::size_t i = 1; i < entries_.size(); i++) {
    if (entries_[i].step->whole) return i;
  }
  return entries_.size();
}

void Recorder::drop_group() {
  const std::size_t end = second_group();
  const double oldest_wanted = head_->at - options_.length;
  entries_changed_ = true;
  for (std::size_t i = 0; i < end; i++) {
    const Entry& first = entries_.front();
    step_bytes_ -= bytes_of(*first.step);
    if (entries_.size() == 1 || entries_[1].step->table != first.step->table) {
      step_bytes_ -= first.step->table->bytes;
    }
    if (first.at >= oldest_wanted) evicted_++;
    entries_.pop_front();
  }
}

void Recorder::forget() {
  for (;;) {  // by age: one point before the beginning stays, so that a whole length is there
    const std::size_t next = second_group();
    if (next >= entries_.size() || entries_[next].at > head_->at - options_.length) break;
    drop_group();
  }
  while (!entries_.empty() && step_bytes_ + head_bytes_ > options_.most_bytes) drop_group();
}

std::shared_ptr<const Contents> Recorder::contents() const {
  const std::lock_guard lock(mutex_);
  return contents_;
}

double Recorder::oldest() const {
  const auto known = contents();
  return known->size() == 0 ? 0 : known->at(0);
}

double Recorder::newest() const {
  const auto known = contents();
  return known->head ? known->head->at : 0;
}

std::size_t Recorder::bytes() const { return contents()->bytes; }

std::uint64_t Recorder::evicted() const { return contents()->evicted; }

}  // namespace nz::history
