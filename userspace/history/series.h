// Which series a point holds, and what each of them was: shared by all points that hold the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "userspace/history/codec.h"
#include "userspace/metrics/family.h"

namespace nz::history {

struct Series {
  std::string name;
  metrics::Labels labels;
  metrics::Type type = metrics::Type::gauge;
  /// What a counter or histogram had when it came back after it was forgotten: it grows from there.
  /// 0 and null: from 0, as all others.
  double base = 0;
  std::shared_ptr<const analysis::Histogram> histogram_base = nullptr;
};

/// The same text for the same series, whichever table it stands in.
std::string key_of(const std::string& name, const metrics::Labels& labels, metrics::Type type);

/// Adds a series, without a value, to the family that was begun with the first of them; one of
/// another type is left out.
void add_to(std::optional<metrics::Family>& family, const Series& series);

struct Table {
  std::vector<std::shared_ptr<const Series>> series;
  std::size_t bytes = 0;  ///< of this and of the texts
};

/// One series at one moment. Where it is not present, value and histogram are its last.
struct Cell {
  bool present = false;
  double value = 0;
  std::shared_ptr<const analysis::Histogram> histogram;
  Extremes extremes;        ///< of the values since the point before
  double absent_since = 0;  ///< Unix seconds, where it is not present
};

/// A point that is not written yet: the newest.
struct Head {
  double at = 0;
  std::shared_ptr<const Table> table;
  std::vector<Cell> cells;  ///< as table->series
};

/// A point as it is kept: every series of the table after the step before, or, where `whole`, after
/// nothing.
struct Step {
  bool whole = false;
  std::shared_ptr<const Table> table;
  std::string bytes;
};

struct Entry {
  double at = 0;  ///< Unix seconds; not in the step, because a clock that is set back moves it
  std::shared_ptr<const Step> step;
};

/// What is known at one moment; immutable, so that reading it needs no lock.
struct Contents {
  /// Oldest first; the first is whole. Shared by all that is known until the next point is kept.
  std::shared_ptr<const std::vector<Entry>> kept = std::make_shared<std::vector<Entry>>();
  std::shared_ptr<const Head> head;
  std::size_t bytes = 0;      ///< of all of it
  std::uint64_t evicted = 0;  ///< points that went for want of memory, ever

  [[nodiscard]] const std::vector<Entry>& entries() const { return *kept; }
  [[nodiscard]] std::size_t size() const { return kept->size() + (head ? 1 : 0); }
  [[nodiscard]] double at(std::size_t point) const {
    return point < kept->size() ? (*kept)[point].at : head->at;
  }
  /// The point nearest in time. Requires one.
  [[nodiscard]] std::size_t nearest(double unix_seconds) const;
};

}  // namespace nz::history
