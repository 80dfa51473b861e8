/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Tracing of page faults: how many, of which kind. The kernel tells when one begins, not when it
 * ends; what a fault waits for is off-CPU time, which the scheduler's program sees. */
#include "nearzero/task_state.h"
#include "nearzero/trace.h"

/* Of the error code, Intel SDM volume 3A, 4.7. */
#define NZ_FAULT_WRITE 2
#define NZ_FAULT_INSTRUCTION 16

static __always_inline int nz_fault(unsigned long code, __u32 kernel) {
  __u32 kind = kernel;
  if (!nz_resolve_slot(bpf_get_current_pid_tgid() >> 32)) return 0;
  if (code & NZ_FAULT_WRITE) kind |= 1;
  if (code & NZ_FAULT_INSTRUCTION) kind |= 2;
  return nz_note_current(NZ_TRACE_FAULT + kind, 0, 0);
}

SEC("tp_btf/page_fault_user")
int BPF_PROG(nz_trace_fault_user, unsigned long address, struct pt_regs* regs, unsigned long code) {
  return nz_fault(code, 0);
}

SEC("tp_btf/page_fault_kernel")
int BPF_PROG(nz_trace_fault_kernel, unsigned long address, struct pt_regs* regs,
             unsigned long code) {
  return nz_fault(code, 4);
}
