// Tests only: to wait for what another thread does.
#pragma once

#include <chrono>
#include <thread>

namespace nz {

/// Asks `holds` again and again, with `pause` in between, until it is true or `limit` has passed:
/// long, because a machine may be slow, and what never comes fails the test anyway.
template <class Condition>
bool eventually(Condition holds, std::chrono::milliseconds limit = std::chrono::seconds(20),
                std::chrono::milliseconds pause = std::chrono::milliseconds(5)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

}  // namespace nz
