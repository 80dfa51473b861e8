#include "tests/workloads/demo/market.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "tests/workloads/common/workload.h"

namespace demo {
namespace {

using nz::workload::now_ns;

// Own transform: the distributions of <random> differ between libraries, the engine does not.
double uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1.0p-53; }

// Sleeps to a deadline in slices, so that stopping does not wait for the next order.
void sleep_until(uint64_t deadline, const std::atomic<bool>& stop) {
  constexpr uint64_t kSlice = 50'000'000;
  for (uint64_t now = now_ns(); now < deadline && !stop.load(std::memory_order_relaxed);
       now = now_ns()) {
    const uint64_t until = std::min(deadline, now + kSlice);
    const timespec ts{static_cast<time_t>(until / 1'000'000'000u),
                      static_cast<long>(until % 1'000'000'000u)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, nullptr);
  }
}

}  // namespace

MarketCounts generate_market_data(const Options& options, TickQueue& queue,
                                  const std::atomic<bool>& stop) {
  std::mt19937_64 content(options.seed);
  std::mt19937_64 arrival(options.seed ^ 0x9e3779b97f4a7c15u);
  std::array<double, kSymbols> price{};
  price.fill(100.0);
  const double gap_ns = 1e9 / options.rate;
  const bool poisson = options.arrivals == "poisson";

  MarketCounts counts;
  double deadline = static_cast<double>(now_ns());
  while (!stop.load(std::memory_order_relaxed)) {
    deadline += poisson ? -std::log1p(-uniform(arrival)) * gap_ns : gap_ns;
    sleep_until(static_cast<uint64_t>(deadline), stop);
    if (stop.load(std::memory_order_relaxed)) break;

    Tick tick;
    tick.sequence = counts.generated++;
    tick.symbol = static_cast<uint32_t>(content() % kSymbols);
    tick.account = static_cast<uint32_t>(content() % kAccounts);
    price[tick.symbol] *= 1.0 + (uniform(content) - 0.5) * 0.001;
    tick.price = price[tick.symbol];
    tick.quantity = 1 + static_cast<int64_t>(content() % 500);
    if (uniform(content) < options.reject_ratio) tick.quantity = kFatFinger;
    tick.enqueued_ns = options.truth_clock ? now_ns() : 0;
    if (!queue.push(tick)) ++counts.dropped;
  }
  return counts;
}

}  // namespace demo
