// The clocks of all CPUs that are online, each of which runs the program at its ticks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/loader/object.h"

namespace nz::probes::profile {

/// "0-3,8" as a list; empty where it is none.
std::vector<uint32_t> parse_cpus(const std::string& text);

class Ticks {
 public:
  explicit Ticks(loader::Object& object) : object_(object) {}

  /// Opens them at `hz`. Where that fails for a CPU none is left open, and failure() says why.
  void open(unsigned hz);
  void close();
  /// Opens them anew where CPUs have come or gone since.
  void follow_cpus();

  [[nodiscard]] bool on() const { return !events_.empty(); }
  [[nodiscard]] size_t cpus() const { return events_.size(); }
  [[nodiscard]] unsigned hz() const { return hz_; }
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  loader::Object& object_;
  unsigned hz_ = 0;
  std::string online_;  // as the kernel wrote it when they were opened
  std::vector<Fd> events_;
  std::string failure_;
};

}  // namespace nz::probes::profile
