// Ground truth: what a profiler of this service should report, from the service's own clock.
#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/workloads/common/workload.h"

namespace demo {

enum Stage : uint8_t {
  kProcessOrder,
  kOnMarketData,
  kComputeSignal,
  kCheckRisk,
  kPersistOrder,
  kAcknowledge,
  kRejectOrder,
  kStages
};
extern const std::array<const char*, kStages> kStageNames;

enum class Outcome : uint8_t { kCompleted, kRejected, kFailed };

// Clock readings of one order, CLOCK_MONOTONIC nanoseconds. An entry of 0: never entered.
struct OrderTimes {
  uint64_t enqueued = 0;
  uint64_t started = 0;  // after the dequeue
  uint64_t ended = 0;
  std::array<uint64_t, kStages> entry{};
  std::array<uint64_t, kStages> exit{};
  uint8_t thrown = 0;  // bit per stage that was left by an exception
  Outcome outcome = Outcome::kCompleted;
};

// Set once before the first worker starts. False: stages are counted, not timed.
extern bool g_truth_clock;

inline uint64_t stamp() { return g_truth_clock ? nz::workload::now_ns() : 1; }

// First and last statement of a stage function. Runs also when an exception passes the frame.
class StageScope {
 public:
  StageScope(OrderTimes& times, Stage stage) : times_(times), stage_(stage) {
    times_.entry[stage_] = stamp();
  }
  ~StageScope() {
    times_.exit[stage_] = stamp();
    if (std::uncaught_exceptions() > 0) times_.thrown |= static_cast<uint8_t>(1u << stage_);
  }
  StageScope(const StageScope&) = delete;
  StageScope& operator=(const StageScope&) = delete;

 private:
  OrderTimes& times_;
  const Stage stage_;
};

struct Moments {
  uint64_t count = 0;
  uint64_t sum = 0;
  uint64_t min = std::numeric_limits<uint64_t>::max();
  uint64_t max = 0;
  void add(uint64_t ns);
  void merge(const Moments& other);
};

struct StageSums {
  uint64_t started = 0;
  uint64_t exceptions = 0;
  uint64_t exception_sum_ns = 0;
  Moments returned;
};

// What one worker recorded. Sums and counts are exact over all orders; quantiles are exact over the
// first `capacity` of them.
class TruthLog {
 public:
  explicit TruthLog(size_t capacity, size_t prefault);
  void record(const OrderTimes& times);

 private:
  friend class Truth;
  size_t capacity_;
  std::vector<OrderTimes> orders_;
  std::array<StageSums, kStages> stages_{};
  std::array<Moments, 5> pairs_{};
  std::array<Moments, 3> latency_{};  // by outcome, from the dequeue
  Moments from_enqueue_;              // completed orders
};

// When a fault was on: [start, stop).
struct FaultWindow {
  std::string name;
  uint64_t start_ns = 0;
  uint64_t stop_ns = 0;
};

class Truth {
 public:
  void add(TruthLog log);
  // "orders", "stages" and "pairs" of the report.
  nlohmann::json report(const std::vector<FaultWindow>& faults) const;

 private:
  nlohmann::json orders(const std::vector<FaultWindow>& faults) const;
  nlohmann::json stages() const;
  nlohmann::json pairs() const;
  std::vector<TruthLog> logs_;
};

}  // namespace demo
