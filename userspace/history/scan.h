// Reads points one after the other and keeps the state of the series that were asked for.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "userspace/history/codec.h"
#include "userspace/history/series.h"

namespace nz::history {

/// What a series is at the point that was read last, and what changed with it.
struct State {
  std::shared_ptr<const Series> series;
  bool known = false;    ///< it was there at this point or before
  bool present = false;  ///< it is there at this point
  double value = 0;
  double value_before = 0;     ///< at the point before; its base where it was not known
  std::unique_ptr<Flat> flat;  ///< histograms only
  Deltas deltas;               ///< histograms: slots that changed
  bool fell = false;           ///< histograms: a count fell, the series began anew
};

class Scan {
 public:
  using Wanted = std::function<bool(const Series&)>;
  Scan(const Contents& contents, Wanted wanted) : contents_(contents), wanted_(std::move(wanted)) {}

  /// Calls `point` with the number of each point from `first` to `last`, in order. As series appear
  /// they are added at the end of states(). Once for each Scan.
  void run(std::size_t first, std::size_t last, const std::function<void(std::size_t)>& point);
  [[nodiscard]] const std::vector<State>& states() const { return states_; }

 private:
  void use(const std::shared_ptr<const Table>& table);
  void read(const Step& step);
  void read(const Head& head);

  const Contents& contents_;
  const Wanted wanted_;
  std::shared_ptr<const Table> table_;
  std::vector<std::ptrdiff_t> state_of_;  // place in the table -> state, or -1
  std::unordered_map<std::string, std::size_t> by_key_;
  std::vector<State> states_;
};

}  // namespace nz::history
