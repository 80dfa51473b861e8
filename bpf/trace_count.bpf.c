/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How often something happens, and nothing else: what tracing it would cost is known before it is
 * traced (`nearzero check`, and before `nearzero trace` attaches). */
#include "nearzero/maps.h"

SEC("uprobe.multi/count")
int nz_trace_count(struct pt_regs* ctx) {
  __u32 key = bpf_get_smp_processor_id() * NZ_MAX_SITES +
              ((__u32)bpf_get_attach_cookie(ctx) & (NZ_MAX_SITES - 1));
  __u64* hits = bpf_map_lookup_elem(&nz_site_hits, &key);
  if (hits) NZ_ADD(*hits, 1);
  return 0;
}

/* Site 0. */
SEC("tp_btf/sys_enter")
int BPF_PROG(nz_trace_count_syscalls, struct pt_regs* regs, long nr) {
  __u32 key = bpf_get_smp_processor_id() * NZ_MAX_SITES;
  __u64* hits = bpf_map_lookup_elem(&nz_site_hits, &key);
  if (hits) NZ_ADD(*hits, 1);
  return 0;
}
