// The cells of some series out of rows that hold many: what is not in blocks yet.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <unordered_map>
#include <vector>

#include "userspace/store/cell.h"
#include "userspace/store/connection.h"
#include "userspace/store/level.h"

namespace nz::store {

/// A cell as it stands in a row.
struct TailCell {
  Interval interval;
  std::size_t at = 0, size = 0;  ///< in the bytes of all
};

class Tails {
 public:
  /// Of each level the intervals that overlap [from[level], to). A failure stays in the connection.
  /// `place_of`: number of a series -> its place, below `places`.
  Tails(Connection& connection, const std::unordered_map<std::uint32_t, std::size_t>& place_of,
        std::size_t places, const std::array<std::int64_t, kLevelCount>& from, std::int64_t to);

  /// Sorted by their begin.
  [[nodiscard]] const std::vector<TailCell>& cells(std::size_t place, Level level) const {
    return cells_[place][index_of(level)];
  }
  [[nodiscard]] std::string_view bytes(const TailCell& cell) const {
    return std::string_view(bytes_).substr(cell.at, cell.size);
  }

 private:
  std::vector<std::array<std::vector<TailCell>, kLevelCount>> cells_;
  std::string bytes_;
};

/// A level of which nothing is to be read.
inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

}  // namespace nz::store
