// The order path. Each stage is a function with a symbol of its own, called once per order on one
// thread, always in this order:
//   process_order { on_market_data, compute_signal, check_risk, persist_order, acknowledge }
// An order that breaks a limit leaves check_risk and process_order by a C++ exception and ends in
// reject_order.
#pragma once

#include <array>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/workloads/demo/credit.h"
#include "tests/workloads/demo/market.h"
#include "tests/workloads/demo/memory.h"
#include "tests/workloads/demo/queue.h"
#include "tests/workloads/demo/store.h"
#include "tests/workloads/demo/truth.h"

// noipa: GCC may neither inline a stage nor call a specialised clone of it.
#if defined(__clang__)
#define NZ_STAGE __attribute__((noinline, used))
#else
#define NZ_STAGE __attribute__((noipa, noinline, used))
#endif

namespace demo {

class RiskRejected : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Shared by all workers, guarded by the risk mutex, as a real position keeper would be.
struct PositionBook {
  std::mutex mutex;
  std::array<double, kSymbols> notional{};
};

struct PriceHistory {
  static constexpr size_t kWindow = 512;
  std::array<double, kWindow> prices{};
  size_t next = 0;
};

// Everything one worker thread owns.
struct Worker {
  Worker(Store& store_in, PositionBook& positions_in, const ReferenceData& reference_in,
         const CreditLine& credit_in, int gateway, const Options& options);

  Store& store;
  PositionBook& positions;
  const ReferenceData& reference;
  const CreditLine& credit;
  FreshMemory fresh;
  int gateway_fd;
  uint64_t lookup_every;
  uint64_t signal_factors;  // amount of work, see stages.cpp
  uint64_t risk_paths;
  OrderTimes times;
  std::vector<PriceHistory> history{kSymbols};
  std::vector<double> losses;
  Limits limits;
  uint64_t orders = 0;
  uint64_t random = 0x2545f4914f6cdd1d;
  uint64_t reference_random = 1;
  uint64_t reference_sum = 0;
};

// Runs one order from dequeue to acknowledgement or rejection and fills worker.times.
NZ_STAGE void handle_tick(Worker& worker, const Tick& tick);

NZ_STAGE void process_order(Worker& worker, const Tick& tick);
NZ_STAGE void on_market_data(Worker& worker, const Tick& tick);
NZ_STAGE double compute_signal(Worker& worker, const Tick& tick);
NZ_STAGE void check_risk(Worker& worker, const Tick& tick, double signal);
NZ_STAGE void persist_order(Worker& worker, const Tick& tick, double signal);
NZ_STAGE void acknowledge(Worker& worker, const Tick& tick) noexcept;
NZ_STAGE void reject_order(Worker& worker, const Tick& tick, const std::string& reason);

}  // namespace demo
