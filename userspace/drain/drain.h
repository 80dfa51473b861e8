// Reads histograms and counters out of the mapped kernel memory: no system call, work proportional
// to the series that are asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "analysis/histogram.h"
#include "nearzero/abi.h"
#include "userspace/loader/object.h"

namespace nz::drain {

class Drain {
 public:
  explicit Drain(const loader::Object& object);
  /// The same on memory that the caller lays out: hists is cpus * series() long, counters cpus.
  Drain(const loader::Layout& layout, std::span<nz_hist> hists, std::span<nz_counters> counters,
        nz_control& control);

  /// Histograms of a probe's own map: flip() ends their windows, too.
  void follow(std::span<nz_hist> hists) { followed_.push_back(hists); }

  /// Ends the window of minimum and maximum: flips nz_control.epoch. The half that programs write
  /// next was cleared one window ago, so a program that is late by one flip loses nothing.
  void flip();

  /// Sum over CPUs, cumulative since load; minimum and maximum of the window that flip() ended.
  /// nullptr when nothing was recorded (then no memory is copied).
  [[nodiscard]] std::shared_ptr<const analysis::Histogram> histogram(uint32_t series) const;

  /// The same of a map that follow() knows, sharded: all of its elements shard * stride + index.
  [[nodiscard]] std::shared_ptr<const analysis::Histogram> histogram(std::span<const nz_hist> map,
                                                                     uint32_t stride,
                                                                     uint32_t index) const;

  /// Values recorded in `series` so far.
  [[nodiscard]] uint64_t count(uint32_t series) const;
  [[nodiscard]] static uint64_t count(std::span<const nz_hist> map, uint32_t stride,
                                      uint32_t index);

  /// Sum over CPUs of a map whose index is cpu * stride + index; T is made of u64 only.
  template <class T>
  [[nodiscard]] T sum(std::span<const T> map, uint32_t stride, uint32_t index) const {
    return add_up(map, layout_.cpus, stride, index);
  }
  /// The same over all shards of a map whose index is shard * stride + index.
  template <class T>
  [[nodiscard]] static T sum_shards(std::span<const T> map, uint32_t stride, uint32_t index) {
    return add_up(map, static_cast<uint32_t>(map.size() / stride), stride, index);
  }

  [[nodiscard]] nz_counters counters() const;
  [[nodiscard]] const loader::Layout& layout() const { return layout_; }

 private:
  template <class T>
  static T add_up(std::span<const T> map, uint32_t slots, uint32_t stride, uint32_t index) {
    static_assert(sizeof(T) % sizeof(uint64_t) == 0);
    T total{};
    auto* to = reinterpret_cast<uint64_t*>(&total);
    for (uint32_t slot = 0; slot < slots; slot++) {
      const auto* from = reinterpret_cast<const uint64_t*>(&map[slot * stride + index]);
      for (size_t i = 0; i < sizeof(T) / sizeof(uint64_t); i++) to[i] += from[i];
    }
    return total;
  }
  // False for all where values go elsewhere (tracing).
  [[nodiscard]] bool holds(uint32_t series) const;

  loader::Layout layout_;
  std::span<nz_hist> hists_;
  std::vector<std::span<nz_hist>> followed_;
  std::span<nz_counters> counters_;
  nz_control& control_;
  uint32_t finished_ = 1;  // half of the window that flip() ended last
};

}  // namespace nz::drain
