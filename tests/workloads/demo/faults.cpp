#include "tests/workloads/demo/faults.h"

#include <algorithm>
#include <iostream>

#include "tests/workloads/common/workload.h"
#include "tests/workloads/demo/memory.h"
#include "tests/workloads/demo/slow_fsync.h"

namespace demo {
namespace {

using nz::workload::now_ns;
using nz::workload::sleep_ns;

// Holds the lock while asleep, like a thread that does I/O under a mutex.
void hold_risk_mutex(std::mutex& mutex, uint64_t held_ns, const std::atomic<bool>& stop) {
  constexpr uint64_t kPeriodNs = 10'000'000;
  while (!stop.load(std::memory_order_relaxed)) {
    {
      std::lock_guard lock(mutex);
      sleep_ns(held_ns);
    }
    sleep_ns(kPeriodNs - std::min(held_ns, kPeriodNs));
  }
}

void spin(int cpu, const std::atomic<bool>& stop) {
  nz::workload::pin_to_cpu(cpu);
  while (!stop.load(std::memory_order_relaxed)) {
  }
}

}  // namespace

Faults::Faults(const Options& options, PositionBook& positions, const std::string& db_path,
               const std::string& vfs)
    : options_(options), positions_(positions), manual_(options.fault_manual) {
  for (const FaultSpec& spec : options.faults) {
    faults_.push_back(std::make_unique<Fault>());
    faults_.back()->spec = spec;
    if (spec.name == "missing-index" && !store_)
      store_ = std::make_unique<Store>(db_path, options.synchronous, vfs);
  }
}

Faults::~Faults() { stop_all(); }

void Faults::poll(double elapsed_s) {
  if (manual_) return;
  for (auto& fault : faults_) {
    const bool over = fault->spec.stop_s >= 0 && elapsed_s >= fault->spec.stop_s;
    set(*fault, elapsed_s >= fault->spec.start_s && !over);
  }
}

void Faults::toggle() {
  manual_ = true;
  for (auto& fault : faults_) set(*fault, !fault->on);
}

void Faults::stop_all() {
  for (auto& fault : faults_) set(*fault, false);
}

SqlCounts Faults::close() { return store_ ? store_->close() : SqlCounts{}; }

void Faults::set(Fault& fault, bool on) {
  if (fault.on == on) return;
  fault.on = on;
  std::cerr << "fault " << fault.spec.name << (on ? " on" : " off") << '\n';
  if (on) {
    fault.window = windows_.size();
    windows_.push_back({fault.spec.name, now_ns(), 0});
    switch_on(fault);
  } else {
    switch_off(fault);
    windows_[fault.window].stop_ns = now_ns();
  }
}

void Faults::switch_on(Fault& fault) {
  fault.stop = false;
  const double magnitude = fault.spec.magnitude;
  if (fault.spec.name == "lock-convoy") {
    const auto held_ns = static_cast<uint64_t>(magnitude * 1e6);
    fault.threads.emplace_back(
        [this, held_ns, &fault] { hold_risk_mutex(positions_.mutex, held_ns, fault.stop); });
  } else if (fault.spec.name == "cpu-hog") {
    const unsigned cpus = std::max(1u, std::thread::hardware_concurrency());
    for (uint64_t i = 0; i < options_.threads * static_cast<uint64_t>(magnitude); ++i)
      fault.threads.emplace_back(
          [&fault, i, cpus] { spin(static_cast<int>(i % cpus), fault.stop); });
  } else if (fault.spec.name == "slow-fsync") {
    g_slow_fsync_ns = static_cast<uint64_t>(magnitude * 1e6);
  } else if (fault.spec.name == "page-faults") {
    g_fresh_bytes = static_cast<size_t>(magnitude * 1024);
  } else {
    store_->drop_limit_index();
  }
}

void Faults::switch_off(Fault& fault) {
  fault.stop = true;
  for (std::thread& thread : fault.threads) thread.join();
  fault.threads.clear();
  if (fault.spec.name == "slow-fsync") g_slow_fsync_ns = 0;
  if (fault.spec.name == "page-faults") g_fresh_bytes = 0;
  if (fault.spec.name == "missing-index") store_->create_limit_index();
}

}  // namespace demo
