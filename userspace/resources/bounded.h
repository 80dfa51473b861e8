// Figures of things whose number nobody bounds (disks, interfaces): a limited number under their
// own names, the rest summed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "userspace/resources/growth.h"

namespace nz::resources {

class Bounded {
 public:
  enum class Column { counter, counter_32, gauge };
  struct Item {
    std::string name;
    bool preferred = false;  ///< has a name before others have one
    std::vector<uint64_t> values;
  };
  using Row = std::vector<double>;

  Bounded(std::vector<Column> columns, size_t limit)
      : columns_(std::move(columns)), limit_(limit), other_(columns_.size()) {}

  /// The present items, each with a value for each column. An item keeps its name while it is
  /// present; names that become free go to the preferred first, then in the order given.
  void update(const std::vector<Item>& items);

  /// By name; counters grow from what the kernel had counted.
  [[nodiscard]] std::map<std::string, Row> named() const;
  /// The sum of all others; counters do not fall when one of them goes.
  [[nodiscard]] const Row& other() const { return other_; }
  /// How many items have no name of their own now.
  [[nodiscard]] size_t unnamed() const { return rest_.size(); }
  /// Whether there ever was one: its sum is shown from then on.
  [[nodiscard]] bool has_other() const { return ever_other_; }

 private:
  struct Cell {
    Growth growth;
    uint64_t now = 0;
  };
  using Cells = std::vector<Cell>;
  void choose_names(const std::vector<Item>& items);
  [[nodiscard]] double see(Cell& cell, size_t column, uint64_t now) const;

  std::vector<Column> columns_;
  size_t limit_;
  std::map<std::string, Cells> named_, rest_;
  Row other_;
  bool ever_other_ = false;
};

}  // namespace nz::resources
