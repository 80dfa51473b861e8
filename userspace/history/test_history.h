// Tests only: a history, and what is in it.
#pragma once

#include "userspace/history/history.h"
#include "userspace/history/test_families.h"

namespace nz::history::testing {

inline constexpr double kStart = 1'700'000'000;  ///< Unix seconds

/// A counter that grows by 5 a second, drained every second of [from, to] after `clock`.
inline void fill(History& history, int from, int to, double clock = kStart) {
  for (int s = from; s <= to; s++) {
    history.add(clock + s, {counter("c_total", 5.0 * s), gauge("g", s % 7)});
  }
}

}  // namespace nz::history::testing
