// Rows by target out of a probe's own map: `kinds` histograms a slot. As everywhere, slot 0 of the
// kernel is who belongs to no target, and target="host" is everybody, made when it is read.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "probes/probe.h"

namespace nz::probes {

class BySlot {
 public:
  /// `hists`: all shards, (shard * NZ_SLOTS + slot) * kinds + kind; its windows are ended with
  /// everybody's from now on.
  BySlot(const Env& env, std::span<nz_hist> hists, uint32_t kinds);

  /// A row of `family` for the host and each target that has values of `kind`.
  void add_histograms(metrics::Family& family, uint32_t kind,
                      const metrics::Labels& more = {}) const;
  /// A row for the host and each target, those without a value too: `value` of a slot.
  void add_counters(metrics::Family& family, const std::function<uint64_t(uint32_t)>& value,
                    const metrics::Labels& more = {}) const;
  /// Values of `kind` so far in the kernel's slot.
  [[nodiscard]] uint64_t count(uint32_t slot, uint32_t kind) const;

 private:
  [[nodiscard]] metrics::Labels labels_of(uint32_t slot, const metrics::Labels& more) const;
  [[nodiscard]] std::shared_ptr<const analysis::Histogram> of(uint32_t slot, uint32_t kind) const;
  [[nodiscard]] std::shared_ptr<const analysis::Histogram> of_everybody(uint32_t kind) const;

  Env env_;
  std::span<const nz_hist> hists_;
  uint32_t kinds_;
};

}  // namespace nz::probes
