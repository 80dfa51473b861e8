// A counter of the kernel as Prometheus needs it: it never falls.
#pragma once

#include <cstdint>
#include <optional>

namespace nz::resources {

class Growth {
 public:
  /// Takes the counter's reading and returns what it has grown since the last one; the first counts
  /// from zero. A fall by at most `jitter` is no growth until the counter has caught up (idle and
  /// iowait of a CPU may fall a little); any other fall is a counter that began anew.
  uint64_t see(uint64_t now, uint64_t jitter = 0) {
    if (now < last_ && last_ - now <= jitter) return 0;
    return add(now, now < last_ ? now : now - last_);
  }
  /// For counters that the kernel prints with 32 bits: a fall from the upper half is the wrap.
  uint64_t see_32(uint64_t now) {
    const bool wrapped = now < last_ && last_ > UINT32_MAX / 2 && last_ <= UINT32_MAX;
    if (wrapped) return add(now, now + (uint64_t{1} << 32) - last_);
    return see(now);
  }
  [[nodiscard]] double total() const { return static_cast<double>(total_); }

 private:
  uint64_t add(uint64_t now, uint64_t growth) {
    last_ = now;
    total_ += growth;
    return growth;
  }
  uint64_t last_ = 0, total_ = 0;
};

/// Growth since the first reading, before which the counter may have counted for long.
class Since {
 public:
  /// What it has grown since the last reading; nothing at the first. A fall: it began anew.
  uint64_t see(uint64_t now) {
    const uint64_t growth = !last_ ? 0 : now < *last_ ? now : now - *last_;
    last_ = now;
    return growth;
  }

 private:
  std::optional<uint64_t> last_;
};

}  // namespace nz::resources
