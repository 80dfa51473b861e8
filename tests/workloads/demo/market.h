#pragma once

#include <atomic>
#include <cstdint>

#include "tests/workloads/demo/options.h"
#include "tests/workloads/demo/queue.h"

namespace demo {

inline constexpr uint32_t kSymbols = 64;
inline constexpr uint32_t kAccounts = 20'000;   // rows of risk_limits
inline constexpr int64_t kMaxQuantity = 1'000;  // limit of every account
inline constexpr int64_t kFatFinger = 50'000;   // what a rejected order asks for

struct MarketCounts {
  uint64_t generated = 0;
  uint64_t dropped = 0;
};

// Pushes ticks at the configured rate until `stop`. The ticks depend on the seed alone.
MarketCounts generate_market_data(const Options& options, TickQueue& queue,
                                  const std::atomic<bool>& stop);

}  // namespace demo
