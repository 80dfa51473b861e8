/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The two kernel functions of a session, behind our own: bpftool 7.1 cannot link two objects that
 * declare the same kernel function. */
#include "nearzero/session.h"

extern bool bpf_session_is_return(void) __ksym __weak;
extern __u64* bpf_session_cookie(void) __ksym __weak;

__attribute__((noinline)) __hidden bool nz_is_return(void) { return bpf_session_is_return(); }

__attribute__((noinline)) __hidden __u64* nz_session_data(void) { return bpf_session_cookie(); }
