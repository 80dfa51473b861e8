/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Why a thread left the CPU, from the syscall it blocks in: nothing but its saved registers is
 * read. */
#ifndef NEARZERO_OFFCPU_REASON_H
#define NEARZERO_OFFCPU_REASON_H

#include "nearzero/maps.h"

#define NZ_PF_KTHREAD 0x00200000
#define NZ_S_IFMT 0170000
#define NZ_S_IFSOCK 0140000
#define NZ_S_IFIFO 0010000
#define NZ_S_IFREG 0100000
#define NZ_S_IFBLK 0060000

extern const volatile __u8 nz_reason_of_syscall[NZ_NR_SYSCALLS];

/* glibc's mutex waits with FUTEX_WAIT; condition variables, semaphores and joins with
 * FUTEX_WAIT_BITSET: the first is contention, the second is waiting for work. */
static __always_inline __u8 nz_futex_reason(unsigned long op) {
  switch (op & 0x7f) {
    case 0:  /* FUTEX_WAIT */
    case 6:  /* FUTEX_LOCK_PI */
    case 13: /* FUTEX_LOCK_PI2 */
      return NZ_LOCK;
    default:
      return NZ_IDLE;
  }
}

/* `task` is the current one, and trusted: its table is read directly, its files by three helpers.
 */
static __always_inline __u8 nz_descriptor_reason(struct task_struct* task, unsigned long fd) {
  struct fdtable* table = task->files->fdt;
  struct file** files = table->fd;
  struct file* file = NULL;
  unsigned short mode;
  if (fd >= table->max_fds) return NZ_OTHER;
  bpf_probe_read_kernel(&file, sizeof(file), files + fd);
  mode = BPF_CORE_READ(file, f_inode, i_mode) & NZ_S_IFMT;
  if (mode == NZ_S_IFSOCK) return NZ_NETWORK;
  /* Anonymous inodes (eventfd, timerfd, signalfd) have no type bits. */
  if (mode == NZ_S_IFIFO || mode == 0) return NZ_IPC;
  return NZ_OTHER;
}

/* `task` is the one that is being switched out; *nr gets the syscall or NZ_NR_SYSCALLS. */
static __always_inline __u8 nz_offcpu_reason(struct task_struct* task, __u16* nr) {
  struct pt_regs* regs;
  long orig_ax;
  __u8 reason;
  *nr = NZ_NR_SYSCALLS;
  if (task->flags & NZ_PF_KTHREAD) return NZ_OTHER;
  regs = (struct pt_regs*)bpf_task_pt_regs(task);
  orig_ax = regs->orig_ax;
  /* Exceptions store -1 or their error code's place holder: only a page fault sleeps. */
  if (orig_ax < 0) return NZ_PAGE_FAULT;
  if (orig_ax >= NZ_NR_SYSCALLS) return NZ_OTHER;
  *nr = orig_ax;
  reason = nz_reason_of_syscall[orig_ax & (NZ_NR_SYSCALLS - 1)];
  if (reason == NZ_BY_FUTEX_OP) return nz_futex_reason(regs->si);
  if (reason == NZ_BY_DESCRIPTOR) {
    if (BPF_CORE_READ_BITFIELD(task, in_iowait)) return NZ_DISK;
    return nz_descriptor_reason(task, regs->di);
  }
  if (reason == NZ_OTHER && BPF_CORE_READ_BITFIELD(task, in_iowait)) return NZ_DISK;
  return reason;
}

#endif
