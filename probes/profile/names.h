// Addresses of samples to functions, with what was read before kept as ranges: most samples fall
// into functions that are known already. What is not known is asked from the NameReader, and known
// some drains later.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "probes/profile/name_reader.h"
#include "userspace/symbols/process_maps.h"

namespace nz::probes::profile {

using FunctionId = uint32_t;

struct Function {
  std::string name;    ///< "orders::submit"; "[gateway+0x1240]" where there is no symbol
  std::string module;  ///< "gateway", "libc.so.6", "[kernel]", "[vdso]"; "" where none is known
};

class Names {
 public:
  struct Limits {
    size_t functions = 16'384;  ///< different names; what is beyond is kOther. 2 MB
    size_t ranges = 32'768;     ///< known ranges of all files; beyond, all are asked anew. 3 MB
    size_t files = 1'024;
    size_t addresses = 256;    ///< asked in one exchange, of all files together
    size_t waiting = 8'192;    ///< of these, kept until they are asked. 400 KB
    double busy_share = 0.05;  ///< of the time that may go to reading one and the same file
  };
  /// Stands for functions that there was no room for.
  static constexpr FunctionId kOther = 0;

  /// An address that has outlived its process: a file and an offset in it, or already a function.
  struct Place {
    uint32_t file = 0;
    uint64_t offset = 0;
  };

  Names() : Names(Limits{}) {}
  explicit Names(const Limits& limits);

  Place user(pid_t pid, uint64_t address);
  static Place kernel(uint64_t address) { return {kKernel, address}; }
  /// Nothing: not known yet, and asked.
  std::optional<FunctionId> function_of(const Place& place);
  /// Takes what was read meanwhile, and asks what is wanted. `now`: seconds of a steady clock.
  void exchange(double now);

  [[nodiscard]] const Function& function(FunctionId id) const { return functions_[id]; }
  /// Whether the function's name is a symbol's.
  [[nodiscard]] bool named(FunctionId id) const { return !functions_[id].name.starts_with('['); }
  /// Reads where the files of a process lie, so that its samples can be named although it has ended
  /// by then.
  void prepare(pid_t pid) { maps_.read(pid); }
  /// The process has ended, or runs another program now.
  void forget(pid_t pid) {
    maps_.forget(pid);
    stale_.erase(pid);
  }
  /// Files may lie elsewhere by now: they are looked for anew with its next sample. If it has ended
  /// then, what was known of it serves.
  void refresh(pid_t pid) { stale_.insert(pid); }
  /// Maps may be read again, once for each process.
  void begin_round() { read_.clear(); }
  /// Addresses that wait for their names.
  [[nodiscard]] size_t waiting() const { return waiting_; }

 private:
  static constexpr uint32_t kKernel = 0, kNamed = UINT32_MAX;
  struct Range {
    uint64_t end = 0;
    FunctionId function = kOther;
  };
  struct File {
    std::string path, module, fallback;
    symbols::FileId id;
    std::map<uint64_t, Range> ranges;  // by first byte
    std::set<uint64_t> wanted;
    bool asked = false;
    double not_before = 0;
  };
  FunctionId intern(const std::string& name, const std::string& module);
  uint32_t file_of(const symbols::Region& region);
  void take(const NameReader::Answer& answer, double now);

  Limits limits_;
  symbols::ProcessMaps maps_;
  std::set<pid_t> read_;   // whose maps were read in this round
  std::set<pid_t> stale_;  // whose maps are to be read again
  std::vector<File> files_;
  std::map<symbols::FileId, uint32_t> file_ids_;
  std::vector<Function> functions_;
  std::unordered_map<std::string, FunctionId> ids_;  // module, NUL, name
  size_t ranges_ = 0, waiting_ = 0;
  size_t turn_ = 0;  // the file that is asked about first
  NameReader reader_;
};

}  // namespace nz::probes::profile
