#include "tests/workloads/demo/faults.h"

#include <algorithm>
#include <iostream>

#include "tests/workloads/common/workload.h"
#include "tests/workloads/demo/memory.h"
#include "tests/workloads/demo/slow_fsync.h"
#include "tests/workloads/demo/switches.h"

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

// Those that are a switch which the service reads; false: the fault is none of them.
bool set_switch(const FaultSpec& spec, bool on) {
  const double magnitude = spec.magnitude;
  if (spec.name == "slow-fsync") {
    g_slow_fsync_ns = on ? static_cast<uint64_t>(magnitude * 1e6) : 0;
  } else if (spec.name == "page-faults") {
    g_fresh_bytes = on ? static_cast<size_t>(magnitude * 1024) : 0;
  } else if (spec.name == "slow-signal") {
    g_switches.signal_times = on ? static_cast<uint64_t>(magnitude) : 1;
  } else if (spec.name == "small-checkpoints") {
    g_switches.checkpoint_pages =
        on ? std::max(1, static_cast<int>(magnitude)) : kDefaultCheckpointPages;
  } else if (spec.name == "open-per-order") {
    g_switches.open_per_order = on;
  } else if (spec.name == "stop-accepting") {
    g_switches.stop_accepting = on;
  } else {
    return false;
  }
  return true;
}

}  // namespace

Faults::Faults(const Options& options, PositionBook& positions, const std::string& db_path,
               const std::string& vfs)
    : options_(options), positions_(positions), manual_(options.fault_manual) {
  for (const FaultSpec& spec : options.faults) {
    faults_.push_back(std::make_unique<Fault>());
    faults_.back()->spec = spec;
    if (spec.name == "missing-index" || spec.name == "open-cursor")
      faults_.back()->store = std::make_unique<Store>(db_path, options.synchronous, vfs);
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

SqlCounts Faults::close() {
  SqlCounts counts;
  for (auto& fault : faults_)
    if (fault->store) counts.merge(fault->store->close());
  return counts;
}

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
  if (set_switch(fault.spec, true)) return;
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
  } else if (fault.spec.name == "open-cursor") {
    const auto held_ns = static_cast<uint64_t>(magnitude * 1e9);
    fault.threads.emplace_back([held_ns, &fault] {
      while (!fault.stop.load(std::memory_order_relaxed))
        fault.store->read_slowly(held_ns, fault.stop);
    });
  } else {
    fault.store->drop_limit_index();
  }
}

void Faults::switch_off(Fault& fault) {
  if (set_switch(fault.spec, false)) return;
  fault.stop = true;
  for (std::thread& thread : fault.threads) thread.join();
  fault.threads.clear();
  if (fault.spec.name == "missing-index") fault.store->create_limit_index();
}

}  // namespace demo
