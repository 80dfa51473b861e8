/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Maps and globals that all programs share. Defined in core.bpf.c, extern everywhere else; the
 * sizes marked "at load" are set by userspace from the configuration and the number of CPUs. */
#ifndef NEARZERO_MAPS_H
#define NEARZERO_MAPS_H

#include "nearzero/abi.h"
#include "nearzero/kernel_types.h"

#ifdef NEARZERO_DEFINE_MAPS
#define NZ_MAP
#else
#define NZ_MAP extern
#endif

#define NZ_ARRAY_TYPE(name, value_type, entries) \
  struct name##_map {                            \
    __uint(type, BPF_MAP_TYPE_ARRAY);            \
    __uint(map_flags, BPF_F_MMAPABLE);           \
    __uint(max_entries, entries);                \
    __type(key, __u32);                          \
    __type(value, value_type);                   \
  }
#define NZ_ARRAY(name, value_type, entries) \
  NZ_ARRAY_TYPE(name, value_type, entries); \
  NZ_MAP struct name##_map name SEC(".maps")
/* A map that one program file has for itself, defined there. */
#define NZ_OWN_ARRAY(name, value_type, entries) \
  NZ_ARRAY_TYPE(name, value_type, entries);     \
  struct name##_map name SEC(".maps")

/* cpu * series + series index. At load: 2,112 B * series * CPUs. */
NZ_ARRAY(nz_hists, struct nz_hist, 1);
/* pid & mask. At load: 128 B * min(pid_max, 32768) = 4 MiB. */
NZ_ARRAY(nz_tasks, struct nz_task, 1);
NZ_ARRAY(nz_cpus, struct nz_cpu, 1);
NZ_ARRAY(nz_counts, struct nz_counters, 1);
/* (cpu * NZ_SLOTS + slot) * NZ_NR_SYSCALLS + nr: 16 B * 17 * 512 = 139 KiB per CPU. */
NZ_ARRAY(nz_blocked_in, struct nz_blocked_syscall, 1);
/* slot * NZ_NR_SYSCALLS + nr -> series + 1, 0 = not yet assigned. 64 bits: what an array's elements
 * are padded to anyway. */
NZ_ARRAY(nz_syscall_series, __u64, NZ_SLOTS* NZ_NR_SYSCALLS);
struct nz_errnos {
  __u64 count[NZ_NR_ERRNO];
};
/* cpu * max_syscalls + series. */
NZ_ARRAY(nz_syscall_errors, struct nz_errnos, 1);
NZ_ARRAY(nz_sites, struct nz_site, NZ_MAX_SITES);
/* cpu * NZ_MAX_SITES + site. */
NZ_ARRAY(nz_site_hits, __u64, 1);
/* cpu * max_stages + stage. */
NZ_ARRAY(nz_stages, struct nz_stage_stats, 1);
/* cpu * NZ_SLOTS + slot. */
NZ_ARRAY(nz_sqlite, struct nz_sqlite_stats, 1);
/* cpu * max_statements + id. */
NZ_ARRAY(nz_statement_counts, struct nz_statement_stats, 1);
NZ_ARRAY(nz_statements, struct nz_statement, 1024); /* open addressing by hash */

/* Processes that are targets: tgid -> slot. Looked up once per thread and generation. */
struct nz_targets_map {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 4096);
  __type(key, __u32);
  __type(value, __u32);
};
NZ_MAP struct nz_targets_map nz_targets SEC(".maps");

struct nz_events_map {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 256 * 1024);
};
NZ_MAP struct nz_events_map nz_events SEC(".maps");

/* Tracing. One element each where the agent is the one that loads them. */
struct nz_keyed_map {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1); /* at load: keys */
  __type(key, struct nz_key);
  __type(value, struct nz_hist);
};
NZ_MAP struct nz_keyed_map nz_keyed SEC(".maps");
/* pid & mask, at load. */
NZ_ARRAY(nz_off_cpus, struct nz_off_cpu, 1);

#ifdef NEARZERO_DEFINE_MAPS
const volatile struct nz_trace_config nz_trace = {};
#else
extern const volatile struct nz_trace_config nz_trace;
#endif

#ifdef NEARZERO_DEFINE_MAPS
const volatile struct nz_config nz_config = {.cpus = 1, .series = 1};
struct nz_control nz_control SEC(".data") = {};
#else
extern const volatile struct nz_config nz_config;
extern struct nz_control nz_control;
#endif

static __always_inline struct nz_counters* nz_counters_of(__u32 cpu) {
  return bpf_map_lookup_elem(&nz_counts, &cpu);
}

/* Programs outside the scheduler can be preempted and migrated between two instructions of theirs,
 * so they add atomically; a CPU's own slot keeps that uncontended. */
#define NZ_ADD(field, n) __sync_fetch_and_add(&(field), (n))

static __always_inline void nz_drop(enum nz_drop cause) {
  struct nz_counters* c = nz_counters_of(bpf_get_smp_processor_id());
  if (c) NZ_ADD(c->drops[cause], 1);
}

#endif
