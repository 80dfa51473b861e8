/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The few kernel types that the programs read, relocated at load (CO-RE): no kernel headers needed,
 * and a reader sees at once what depends on the kernel. */
#ifndef NEARZERO_KERNEL_TYPES_H
#define NEARZERO_KERNEL_TYPES_H

typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void*)0)

enum { BPF_ANY = 0, BPF_NOEXIST = 1 };
enum { BPF_F_MMAPABLE = 1024, BPF_F_USER_STACK = 256 };
enum {
  BPF_MAP_TYPE_HASH = 1,
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_PERCPU_ARRAY = 6,
  BPF_MAP_TYPE_RINGBUF = 27,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
  unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs,
      flags, sp, ss;
};

struct rq {
  __u64 clock;
};
struct cfs_rq {
  struct rq* rq; /* CONFIG_FAIR_GROUP_SCHED */
};
struct sched_entity {
  struct cfs_rq* cfs_rq;
};
struct sched_info {
  unsigned long long run_delay, last_arrival, last_queued;
};
struct atomic_min {
  int counter;
};
struct signal_struct {
  struct atomic_min live;
};
struct inode {
  unsigned short i_mode;
};
struct file {
  struct inode* f_inode;
};
struct fdtable {
  unsigned int max_fds;
  struct file** fd;
};
struct files_struct {
  struct fdtable* fdt;
};
struct task_struct {
  unsigned int __state;
  unsigned int flags;
  int pid, tgid;
  void* stack; /* the lowest address of its kernel stack */
  struct sched_info sched_info;
  struct sched_entity se;
  struct files_struct* files;
  struct signal_struct* signal;
  unsigned in_iowait : 1;
  char comm[16];
};

/* Before 5.14 (commit 2f064a59a11f) the field was called `state`. */
struct task_struct___before_5_14 {
  long state;
};

#pragma clang attribute pop

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#endif
