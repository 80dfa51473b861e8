#include "tests/workloads/demo/stages.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "tests/workloads/demo/gateway.h"
#include "tests/workloads/demo/switches.h"

namespace demo {
namespace {

// About 100 us each on a 3 GHz core: 80 averages over 512 prices, and 3,000 simulated returns.
constexpr uint64_t kSignalFactors = 80;
constexpr uint64_t kRiskPaths = 3'000;

double uniform(uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (static_cast<double>(state >> 11) + 0.5) * 0x1.0p-53;
}

// Value at risk at 99 %: the loss that one in a hundred simulated days exceeds.
double value_at_risk(Worker& worker, double notional) {
  std::vector<double>& losses = worker.losses;
  losses.clear();
  for (uint64_t i = 0; i < worker.risk_paths; i += 2) {
    // Box-Muller gives two independent normal returns at a time.
    const double radius = std::sqrt(-2.0 * std::log(uniform(worker.random)));
    const double angle = 6.283185307179586 * uniform(worker.random);
    losses.push_back(-notional * 0.02 * radius * std::cos(angle));
    losses.push_back(-notional * 0.02 * radius * std::sin(angle));
  }
  if (losses.empty()) return 0;
  const auto nth = losses.begin() + static_cast<std::ptrdiff_t>(losses.size() * 99 / 100);
  std::nth_element(losses.begin(), nth, losses.end());
  return *nth;
}

// Without exceptions: acknowledge may then carry a return probe. The gateway is a thread of this
// process, so a failure here is a defect, and the frame count of the truth shows it.
void send_all(int fd, const char* data, size_t size) noexcept {
  while (size > 0) {
    const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      std::perror("gateway connection");
      return;
    }
    data += sent;
    size -= static_cast<size_t>(sent);
  }
}

}  // namespace

Worker::Worker(Store& store_in, PositionBook& positions_in, const ReferenceData& reference_in,
               const CreditLine& credit_in, int gateway, const Options& options)
    : store(store_in),
      positions(positions_in),
      reference(reference_in),
      credit(credit_in),
      gateway_fd(gateway),
      lookup_every(options.lookup_every),
      signal_factors(kSignalFactors * options.work_percent / 100),
      risk_paths(kRiskPaths * options.work_percent / 100) {
  losses.reserve(risk_paths + 2);
  for (PriceHistory& h : history) h.prices.fill(100.0);
}

void handle_tick(Worker& worker, const Tick& tick) {
  worker.times = OrderTimes{};
  worker.times.enqueued = tick.enqueued_ns;
  worker.times.started = nz::workload::now_ns();
  try {
    process_order(worker, tick);
  } catch (const RiskRejected& e) {
    worker.times.outcome = Outcome::kRejected;
    reject_order(worker, tick, e.what());
  } catch (const StoreError& e) {
    worker.times.outcome = Outcome::kFailed;
    std::cerr << "order " << tick.sequence << " failed: " << e.what() << '\n';
  }
  worker.times.ended = nz::workload::now_ns();
  ++worker.orders;
}

void process_order(Worker& worker, const Tick& tick) {
  const StageScope scope(worker.times, kProcessOrder);
  on_market_data(worker, tick);
  const double signal = compute_signal(worker, tick);
  check_risk(worker, tick, signal);
  persist_order(worker, tick, signal);
  acknowledge(worker, tick);
}

void on_market_data(Worker& worker, const Tick& tick) {
  const StageScope scope(worker.times, kOnMarketData);
  PriceHistory& history = worker.history[tick.symbol];
  history.prices[history.next] = tick.price;
  history.next = (history.next + 1) % PriceHistory::kWindow;
}

// Sum over many horizons of (fast average - slow average): a family of EWMA crossovers.
double compute_signal(Worker& worker, const Tick& tick) {
  const StageScope scope(worker.times, kComputeSignal);
  const PriceHistory& history = worker.history[tick.symbol];
  const uint64_t factors =
      worker.signal_factors * g_switches.signal_times.load(std::memory_order_relaxed);
  double signal = 0;
  for (uint64_t f = 0; f < factors; ++f) {
    const double decay = 1.0 / (2.0 + static_cast<double>(f));
    double average = history.prices[history.next];
    for (size_t i = 0; i < PriceHistory::kWindow; ++i) {
      const double price = history.prices[(history.next + i) % PriceHistory::kWindow];
      average += decay * (price - average);
    }
    signal += f % 2 == 0 ? average : -average;
  }
  return signal;
}

void check_risk(Worker& worker, const Tick& tick, double signal) {
  const StageScope scope(worker.times, kCheckRisk);
  if (worker.orders % worker.lookup_every == 0)
    worker.limits = g_switches.open_per_order.load(std::memory_order_relaxed)
                        ? worker.store.lookup_limits_anew(tick.account)
                        : worker.store.lookup_limits(tick.account);
  worker.reference_sum += worker.reference.look_up(worker.reference_random);
  worker.fresh.use();
  const double notional = tick.price * static_cast<double>(tick.quantity);
  const double loss = value_at_risk(worker, notional);
  if (!worker.credit.ask(tick.account)) throw RiskRejected("no answer of the credit service");
  {
    std::lock_guard lock(worker.positions.mutex);
    worker.positions.notional[tick.symbol] += signal >= 0 ? notional : -notional;
  }
  if (tick.quantity > worker.limits.max_quantity)
    throw RiskRejected("quantity above the limit of the account");
  if (loss > worker.limits.max_notional) throw RiskRejected("value at risk above the limit");
}

void persist_order(Worker& worker, const Tick& tick, double signal) {
  const StageScope scope(worker.times, kPersistOrder);
  worker.store.checkpoint_from(g_switches.checkpoint_pages.load(std::memory_order_relaxed));
  worker.store.insert_order(tick, signal);
}

void acknowledge(Worker& worker, const Tick& tick) noexcept {
  const StageScope scope(worker.times, kAcknowledge);
  std::array<char, kAckBytes> frame{};
  std::snprintf(frame.data(), frame.size(), "ACK %llu %u %lld",
                static_cast<unsigned long long>(tick.sequence), tick.symbol,
                static_cast<long long>(tick.quantity));
  send_all(worker.gateway_fd, frame.data(), frame.size());
}

void reject_order(Worker& worker, const Tick& tick, const std::string& reason) {
  const StageScope scope(worker.times, kRejectOrder);
  std::array<char, kAckBytes> frame{};
  std::snprintf(frame.data(), frame.size(), "REJ %llu %.40s",
                static_cast<unsigned long long>(tick.sequence), reason.c_str());
  send_all(worker.gateway_fd, frame.data(), frame.size());
}

}  // namespace demo
