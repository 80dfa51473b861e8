#include "userspace/drain/drain.h"

#include <algorithm>

namespace nz::drain {

Drain::Drain(const loader::Object& object)
    : Drain(object.layout(), object.array<nz_hist>("nz_hists"),
            object.array<nz_counters>("nz_counts"), object.control()) {}

Drain::Drain(const loader::Layout& layout, std::span<nz_hist> hists,
             std::span<nz_counters> counters, nz_control& control)
    : layout_(layout), hists_(hists), counters_(counters), control_(control) {}

namespace {

void clear_half(std::span<nz_hist> hists, uint32_t half) {
  for (nz_hist& h : hists) {
    if (h.max[half] == 0 && h.min_inverted[half] == 0) continue;  // reading does not dirty the line
    h.max[half] = 0;
    h.min_inverted[half] = 0;
  }
}

}  // namespace

void Drain::flip() {
  const uint32_t current = control_.epoch & 1U;
  const uint32_t next = current ^ 1U;
  clear_half(hists_, next);
  for (const std::span<nz_hist> hists : followed_) clear_half(hists, next);
  __atomic_store_n(&control_.epoch, control_.epoch + 1, __ATOMIC_RELEASE);
  finished_ = current;
}

bool Drain::holds(uint32_t series) const {
  return series < layout_.series() && hists_.size() >= size_t{layout_.cpus} * layout_.series();
}

uint64_t Drain::count(uint32_t series) const {
  return holds(series) ? count(hists_, layout_.series(), series) : 0;
}

uint64_t Drain::count(std::span<const nz_hist> map, uint32_t stride, uint32_t index) {
  uint64_t n = 0;
  for (size_t at = index; at < map.size(); at += stride) {
    const nz_hist& h = map[at];
    if (h.sum == 0 && h.zero == 0) continue;  // most are empty: one line is read, not 33
    n += h.zero + h.overflow;
    for (const nz_u64 bucket : h.bucket) n += bucket;
  }
  return n;
}

std::shared_ptr<const analysis::Histogram> Drain::histogram(uint32_t series) const {
  if (!holds(series)) return nullptr;
  return histogram(hists_, layout_.series(), series);
}

std::shared_ptr<const analysis::Histogram> Drain::histogram(std::span<const nz_hist> map,
                                                            uint32_t stride, uint32_t index) const {
  std::shared_ptr<analysis::Histogram> total;
  uint64_t min = UINT64_MAX;  // 0 ns is a value: a sleep that was over before it began
  for (size_t at = index; at < map.size(); at += stride) {
    const nz_hist& h = map[at];
    // Counts first, sum after: a value caught in between is in neither bucket nor sum or in both
    // by at most one event; the next drain has it whole.
    if (h.sum == 0 && h.zero == 0) continue;
    if (!total) total = std::make_shared<analysis::Histogram>();
    for (size_t i = 0; i < NZ_BUCKETS; i++) total->buckets[i] += h.bucket[i];
    total->zero += h.zero;
    total->overflow += h.overflow;
    total->sum_ns += h.sum;
    total->max_ns = std::max<uint64_t>(total->max_ns, h.max[finished_]);
    min = std::min<uint64_t>(min, ~h.min_inverted[finished_]);
  }
  if (total && min != UINT64_MAX) total->min_ns = min;
  return total;
}

nz_counters Drain::counters() const {
  return sum<nz_counters>({counters_.data(), counters_.size()}, 1, 0);
}

}  // namespace nz::drain
