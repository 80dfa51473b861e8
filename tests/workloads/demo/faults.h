#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/workloads/demo/options.h"
#include "tests/workloads/demo/stages.h"
#include "tests/workloads/demo/store.h"
#include "tests/workloads/demo/truth.h"

namespace demo {

// Switches the configured faults on and off and remembers when. Used by the main thread only.
class Faults {
 public:
  Faults(const Options& options, PositionBook& positions, const std::string& db_path,
         const std::string& vfs);
  ~Faults();
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  // Applies the schedule; `elapsed_s` since the service started.
  void poll(double elapsed_s);
  // SIGUSR1: inverts every fault; from then on the schedule is ignored.
  void toggle();
  void stop_all();
  const std::vector<FaultWindow>& windows() const { return windows_; }
  SqlCounts close();  // counts of the faults' own connections

 private:
  struct Fault {
    FaultSpec spec;
    bool on = false;
    size_t window = 0;
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    std::unique_ptr<Store> store;  // where it needs a connection of its own
  };
  void set(Fault& fault, bool on);
  void switch_on(Fault& fault);
  void switch_off(Fault& fault);

  const Options& options_;
  PositionBook& positions_;
  std::vector<std::unique_ptr<Fault>> faults_;
  std::vector<FaultWindow> windows_;
  bool manual_;
};

}  // namespace demo
