// Everything that is wrong with one configuration, collected so that the reader sees all of it at
// once, in the order of the file.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace nz::config {

/// Where a value stands: "FILE:LINE:COLUMN" in a file, else the variable or the key that set it.
struct Place {
  std::string text;
  int line = 0;  ///< from 1, counted in bytes; 0 where there is no file. Only for the order.
  int column = 0;
};

/// Finds the place of the value at a JSON pointer, or of its key in the enclosing map.
enum class Part { kKey, kValue };
using Locate = std::function<Place(const std::string& pointer, Part part)>;

struct Problem {
  Place place;
  std::string pointer;  ///< what it is about; "" the whole
  std::string what;
  std::string remedy;
};

class Problems {
 public:
  static constexpr std::size_t kMostLines = 20;

  /// Keeps a problem unless the same text was reported at the same place.
  void add(Problem problem);

  [[nodiscard]] bool empty() const { return list_.empty(); }
  /// In the order of reporting.
  [[nodiscard]] const std::vector<Problem>& all() const { return list_; }

  /// Whether something at, above or below this place has been reported: its value means nothing
  /// then.
  [[nodiscard]] bool concern(const std::string& pointer) const;

  /// One Error: a single problem keeps its remedy apart; several become a line each.
  [[nodiscard]] Error error() const;

 private:
  std::vector<Problem> list_;
};

/// Text of unknown origin made fit for a message: quoted, control characters escaped, long text
/// cut.
std::string in_quotes(std::string_view text);

}  // namespace nz::config
