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
  /// Goes on with what the store has; `store` outlives it. A spell that is not what save() wrote is
  /// logged, and its place used again. Error: the file cannot be read, so nobody knows which places
  /// are free and what is open in the others; nothing must be written then.
  static Result<SpellLog> open(store::Store& store);

  /// All that detection knows at `now` (Unix seconds), open or not. A regression whose figures
  /// changed begins a spell anew, since rules judge by them; of an incident each member says since
  /// when it belongs to it.
  void step(double now, const std::vector<T>& all);

 private:
  struct Open {
    std::size_t place = 0;
    Spell<T> spell;
  };

  explicit SpellLog(store::Store& store) : store_(&store), ended_(kPlaces) {}
  void take(const std::string& key, std::size_t place, const std::string& saved);
  void begin(double now, const T& what);
  void end(double now, Open open);
  bool put(const Open& open);

  store::Store* store_;
  std::vector<double> ended_;         // by place, Unix seconds; 0: free, or not ended yet
  std::map<std::string, Open> open_;  // by id
  std::vector<Open> unwritten_;       // ended, and the store did not take it
  bool refused_ = false;              // the last write was; one line in the log is enough
};

}  // namespace nz::detected
