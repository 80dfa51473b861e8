#include "userspace/trace/recorder.h"

#include <bpf/bpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <vector>

namespace nz::trace {
namespace {

analysis::Histogram histogram_of(const nz_hist& h, uint32_t epoch) {
  analysis::Histogram out;
  std::copy(std::begin(h.bucket), std::end(h.bucket), out.buckets.begin());
  out.zero = h.zero;
  out.overflow = h.overflow;
  out.sum_ns = h.sum;
  out.max_ns = h.max[epoch & 1U];
  out.min_ns = ~h.min_inverted[epoch & 1U];
  return out;
}

}  // namespace

Recorder::Recorder(const loader::Object& object, bool by_cpu)
    : object_(object), map_(object.map_fd("nz_keyed")), by_cpu_(by_cpu) {}

RowKey Recorder::row_of(const nz_key& key) const {
  RowKey row;
  // Who is a target and who is not is no news here: there is one at most.
  constexpr uint32_t kSched = NZ_SLOTS * NZ_SCHED_SERIES;
  row.series = key.series < kSched ? key.series % NZ_SCHED_SERIES : key.series;
  row.number = key.number;
  row.id = key.id;
  row.comm.assign(key.comm, strnlen(key.comm, sizeof(key.comm)));
  if (by_cpu_) row.cpu = key.cpu;
  return row;
}

void Recorder::take(Rows& into) {
  // Programs run inside RCU read-side sections: after a grace period none still writes the old
  // epoch.
  syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
  const auto epoch = static_cast<uint16_t>(object_.control().epoch);
  std::vector<nz_key> old;
  nz_key key{};
  const void* previous = nullptr;
  nz_key next{};
  while (bpf_map_get_next_key(map_, previous, &next) == 0) {
    if (next.epoch != epoch) old.push_back(next);
    key = next;
    previous = &key;
  }
  nz_hist values{};
  for (const nz_key& k : old) {
    if (bpf_map_lookup_elem(map_, &k, &values) == 0)
      into[row_of(k)].merge(histogram_of(values, k.epoch));
    bpf_map_delete_elem(map_, &k);
  }
}

}  // namespace nz::trace
