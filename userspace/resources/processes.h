// What a target's processes have used together since they were first seen, also those that have
// ended: never less than before.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "userspace/resources/process.h"

namespace nz::resources {

/// A target and its processes of this moment.
struct TargetProcesses {
  struct Identity {
    pid_t pid = 0;
    uint64_t start_time = 0;  ///< clock ticks after boot
  };
  std::string name;
  std::vector<Identity> processes;
  /// Children belong to it too: the use of those that lived too briefly to be seen counts when
  /// their parent has waited for them.
  bool follow_forks = true;
};

class Processes {
 public:
  /// Processes read in one collection, those that were read longest ago first: with more of them,
  /// figures are that much older, and the cost stays.
  static constexpr size_t kReadAtOnce = 512;
  /// With more processes than this, descriptors do not stay open.
  static constexpr size_t kKeptOpen = 128;

  /// Growth since the target was first seen, in the units of Usage.
  struct Totals {
    std::array<uint64_t, Usage::kFields> usage{};
    std::array<uint64_t, 2> io{};
  };

  struct Followed {
    Process process;
    uint64_t start_time = 0;
    std::string target;
    bool follow_forks = true;
    bool count_all = true;  ///< it started under our eyes: its use counts from zero
    bool is_new = true;     ///< not read yet
    uint64_t read_in = 0;   ///< the collection that has read it last
    uint64_t left_for = 0;  ///< collections since it belongs no more, or is about to end
    Usage counted{};        ///< its usage as far as the totals know
    /// What ended children had that is in the totals already: it comes again with what their parent
    /// has waited for. If it has not come within two collections, it never will.
    Totals awaited{};
    int awaited_for = 0;

    /// Whether its figures of this moment belong to the target's.
    [[nodiscard]] bool present() const { return left_for == 0 && !is_new; }
  };

  explicit Processes(std::string proc) : proc_(std::move(proc)) {}

  /// Reads the processes of the targets. `now`: clock ticks after boot. `swap`: the host has some.
  void collect(Context& context, const std::vector<TargetProcesses>& targets, uint64_t now,
               bool swap);

  [[nodiscard]] const std::map<pid_t, Followed>& followed() const { return followed_; }
  [[nodiscard]] Totals totals(const std::string& target) const;

 private:
  void list(const std::vector<TargetProcesses>& targets, uint64_t now);
  [[nodiscard]] std::vector<pid_t> due() const;
  std::vector<pid_t> read(Context& context, const std::vector<pid_t>& pids, bool swap);
  void end(const std::vector<pid_t>& ended);
  void count(Followed& followed);

  std::string proc_;
  std::map<pid_t, Followed> followed_;
  std::map<std::string, Totals> totals_;
  uint64_t round_ = 0, listed_at_ = 0;
};

}  // namespace nz::resources
