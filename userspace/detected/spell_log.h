// Writes spells as they begin, change and end.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "userspace/detected/spell.h"
#include "userspace/store/store.h"

namespace nz::detected {

/// T: analysis::Regression or analysis::Incident. Writes only what changed: some 1 KB each.
template <class T>
class SpellLog {
 public:
  /// Goes on with what the store has; `store` outlives it. What cannot be read is logged, and its
  /// place used again.
  explicit SpellLog(store::Store& store);

  /// All that detection knows at `now` (Unix seconds), open or not. A regression whose figures
  /// changed begins a spell anew, since rules judge by them; of an incident each member says since
  /// when it belongs to it.
  void step(double now, const std::vector<T>& all);

 private:
  struct Open {
    std::size_t place = 0;
    Spell<T> spell;
  };

  void begin(double now, const T& what);
  void end(double now, Open& open);
  void put(const Open& open);

  store::Store& store_;
  std::vector<double> from_;          // by place; 0: free
  std::map<std::string, Open> open_;  // by id
};

}  // namespace nz::detected
