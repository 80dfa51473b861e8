// The one BPF object: opened, configured, loaded (without the programs that this kernel refuses),
// mapped, and attached. The only place that knows libbpf; everybody else names programs and maps.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nearzero/abi.h"
#include "userspace/base/fd.h"
#include "userspace/base/result.h"
#include "userspace/loader/features.h"
#include "userspace/loader/layout.h"

namespace nz::loader {

/// Where one uprobe goes: file offset and the 64-bit cookie that the program gets.
struct UprobeSite {
  uint64_t offset = 0;
  uint64_t cookie = 0;
  uint64_t semaphore = 0;  ///< file offset of a USDT probe's counter of listeners; 0: none
};

class Object {
 public:
  struct Options {
    Layout layout;
    std::vector<std::string> without;  ///< programs not to load
    /// Nothing but these. Empty: all of the agent's, which are those that do not begin with
    /// nz_trace_ (the command line's, for its short while).
    std::vector<std::string> only;
    nz_trace_config trace{};  ///< on: this is the command line's object, values go by key
    std::string btf_path = "/sys/kernel/btf/vmlinux";
  };

  /// Loads what the kernel accepts. A program that fails verification is left out and its reason
  /// kept (refused()); an Error only when nothing can work: no privilege, no BTF, no memory.
  static Result<std::unique_ptr<Object>> load(const Options& options);
  ~Object();
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  /// Program name -> why it is not loaded.
  [[nodiscard]] const std::map<std::string, std::string>& refused() const;
  [[nodiscard]] const Features& features() const;
  [[nodiscard]] const Layout& layout() const;

  /// The link lives as long as the descriptor: nothing is pinned, so kill -9 detaches.
  Result<Fd> attach_tracing(const std::string& program);
  /// Runs the program each `period_ns` of time on `cpu`, but for its idle task.
  Result<Fd> attach_cpu_clock(const std::string& program, uint32_t cpu, uint64_t period_ns);
  /// One uprobe_multi link on `path` for process `pid` (0: every process).
  /// Runs a `SEC("syscall")` program once; nothing where it is not loaded.
  void run(const std::string& program);
  Result<Fd> attach_uprobes(const std::string& program, const std::string& path, pid_t pid,
                            std::span<const UprobeSite> sites);

  /// An mmapable array map as memory; its element stride is sizeof(T), which must match.
  template <class T>
  [[nodiscard]] std::span<T> array(const std::string& map) const {
    static_assert(sizeof(T) % 8 == 0, "the kernel pads an array's elements to 8 bytes");
    const auto [address, bytes] = mapped(map);
    return {static_cast<T*>(address), bytes / sizeof(T)};
  }
  /// Zeroes a whole mmapable array map, without keeping it mapped.
  void clear(const std::string& map);
  [[nodiscard]] nz_control& control() const;
  Result<void> set_target(uint32_t tgid, uint32_t slot);
  void remove_target(uint32_t tgid);
  /// What the kernel takes for targets now (tgid, slot): userspace's set_target() and forks
  /// followed.
  [[nodiscard]] std::vector<std::pair<uint32_t, uint32_t>> targets() const;
  [[nodiscard]] int map_fd(const std::string& map) const;
  [[nodiscard]] int program_fd(const std::string& program) const;
  /// Hits since load in which a program did not run because it, or another one that must not be
  /// interrupted, was running on that CPU (bpf_prog_info.recursion_misses, from kernel 5.12 on:
  /// commit 9ed9e9ba2337); only programs that have any.
  [[nodiscard]] std::map<std::string, uint64_t> missed() const;
  /// Kernel memory of all maps, bytes.
  [[nodiscard]] uint64_t map_bytes() const;

 private:
  struct Impl;
  explicit Object(std::unique_ptr<Impl> impl);
  [[nodiscard]] std::pair<void*, size_t> mapped(const std::string& map) const;
  std::unique_ptr<Impl> impl_;
};

/// Number of possible CPUs (libbpf_num_possible_cpus).
uint32_t possible_cpus();
/// Power of two for nz_tasks: pid_max rounded up, between 4,096 and 32,768.
uint32_t task_entries();

}  // namespace nz::loader
