/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The table of reasons by syscall number (x86-64; arch/x86/entry/syscalls/syscall_64.tbl). */
#include "nearzero/offcpu_reason.h"

/* Every number not named is NZ_OTHER: the array is filled with it first (a GNU range initialiser,
 * later entries win). */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winitializer-overrides"
const volatile __u8 nz_reason_of_syscall[NZ_NR_SYSCALLS] = {
    [0 ... NZ_NR_SYSCALLS - 1] = NZ_OTHER,
    /* read, write, pread64, pwrite64, readv, writev, preadv, pwritev, preadv2, pwritev2, sendfile,
     * splice, tee, vmsplice, copy_file_range: by what the descriptor is */
    [0] = NZ_BY_DESCRIPTOR,
    [1] = NZ_BY_DESCRIPTOR,
    [17] = NZ_BY_DESCRIPTOR,
    [18] = NZ_BY_DESCRIPTOR,
    [19] = NZ_BY_DESCRIPTOR,
    [20] = NZ_BY_DESCRIPTOR,
    [295] = NZ_BY_DESCRIPTOR,
    [296] = NZ_BY_DESCRIPTOR,
    [327] = NZ_BY_DESCRIPTOR,
    [328] = NZ_BY_DESCRIPTOR,
    [40] = NZ_BY_DESCRIPTOR,
    [275] = NZ_BY_DESCRIPTOR,
    [276] = NZ_BY_DESCRIPTOR,
    [278] = NZ_BY_DESCRIPTOR,
    [326] = NZ_BY_DESCRIPTOR,
    /* fsync, fdatasync, sync_file_range, syncfs, sync, msync, fallocate, ftruncate, truncate: disk
     */
    [74] = NZ_DISK,
    [75] = NZ_DISK,
    [277] = NZ_DISK,
    [306] = NZ_DISK,
    [162] = NZ_DISK,
    [26] = NZ_DISK,
    [285] = NZ_DISK,
    [77] = NZ_DISK,
    [76] = NZ_DISK,
    /* connect, sendto, recvfrom, sendmsg, recvmsg, sendmmsg, recvmmsg, shutdown */
    [42] = NZ_NETWORK,
    [44] = NZ_NETWORK,
    [45] = NZ_NETWORK,
    [46] = NZ_NETWORK,
    [47] = NZ_NETWORK,
    [307] = NZ_NETWORK,
    [299] = NZ_NETWORK,
    [48] = NZ_NETWORK,
    /* accept, accept4, poll, ppoll, select, pselect6, epoll_wait, epoll_pwait, epoll_pwait2,
     * wait4, waitid, pause, rt_sigsuspend, rt_sigtimedwait, io_getevents, io_pgetevents,
     * io_uring_enter, futex_wait of 6.7 (454..456 need their own flags): waiting for work */
    [43] = NZ_IDLE,
    [288] = NZ_IDLE,
    [7] = NZ_IDLE,
    [271] = NZ_IDLE,
    [23] = NZ_IDLE,
    [270] = NZ_IDLE,
    [232] = NZ_IDLE,
    [281] = NZ_IDLE,
    [441] = NZ_IDLE,
    [61] = NZ_IDLE,
    [247] = NZ_IDLE,
    [34] = NZ_IDLE,
    [130] = NZ_IDLE,
    [128] = NZ_IDLE,
    [208] = NZ_IDLE,
    [333] = NZ_IDLE,
    [426] = NZ_IDLE,
    /* nanosleep, clock_nanosleep */
    [35] = NZ_SLEEP,
    [230] = NZ_SLEEP,
    /* futex; flock, fcntl (F_SETLKW) */
    [202] = NZ_BY_FUTEX_OP,
    [73] = NZ_LOCK,
    [72] = NZ_LOCK,
    /* msgrcv, msgsnd, semop, semtimedop, mq_timedsend, mq_timedreceive */
    [70] = NZ_IPC,
    [69] = NZ_IPC,
    [65] = NZ_IPC,
    [220] = NZ_IPC,
    [242] = NZ_IPC,
    [243] = NZ_IPC,
};
#pragma clang diagnostic pop
