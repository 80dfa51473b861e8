// What every reader of resources is given: where to read, where to put it, how to fail.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/metrics/family.h"
#include "userspace/resources/file.h"

namespace nz::resources {

/// Roots of the kernel's file systems: folders made by hand in tests.
struct Paths {
  std::string proc = "/proc";
  std::string sys = "/sys";
};

enum class Source {
  cpu,
  memory,
  pressure,
  disks,
  filesystems,
  network,
  open_files,
  processes,
  cgroups
};
constexpr std::array<const char*, 9> kSourceNames = {"cpu",        "memory",      "pressure",
                                                     "disks",      "filesystems", "network",
                                                     "open_files", "processes",   "cgroups"};

/// Readings that failed, or that nobody could make sense of, since start.
class Errors {
 public:
  void count(Source source, uint64_t n = 1) { counts_[static_cast<size_t>(source)] += n; }
  /// Unless what was to be read is simply not there.
  void count(Source source, const Error& error) {
    if (!is_absent(error)) count(source);
  }
  [[nodiscard]] uint64_t of(Source source) const { return counts_[static_cast<size_t>(source)]; }

 private:
  std::array<uint64_t, kSourceNames.size()> counts_{};
};

struct Context {
  Buffer& buffer;
  Errors& errors;
  std::vector<metrics::Family>& out;
};

/// A family that is filled row by row, while others are begun.
class Rows {
 public:
  Rows(Context& context, const char* name, const char* help, metrics::Type type)
      : out_(context.out), at_(context.out.size()) {
    out_.push_back({name, help, type, {}});
  }
  void add(metrics::Labels labels, double value) {
    out_[at_].samples.push_back({std::move(labels), value, nullptr});
  }

 private:
  std::vector<metrics::Family>& out_;
  size_t at_;
};

/// Takes out the families that got no row.
inline void remove_empty(std::vector<metrics::Family>& families) {
  std::erase_if(families, [](const metrics::Family& f) { return f.samples.empty(); });
}

constexpr auto kCounter = metrics::Type::counter;
constexpr auto kGauge = metrics::Type::gauge;

}  // namespace nz::resources
