/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The one bucket layout, from the kernel to Prometheus (native-histogram schema 3).
 *
 * Base-2 exponential buckets, 8 per octave, boundaries 2^(k/8) SECONDS, upper-inclusive:
 *   bucket i (0..255) counts values v with  2^((i-192)/8 - 1/8) ... i.e. (bound(i-1), bound(i)],
 *   bound(i) = 2^(-24 + (i+1)/8) s.  Values <= 2^-24 s (59.6 ns) go to the zero bucket,
 *   values > 2^8 s to the overflow count.
 * Prometheus' index k of a native bucket with upper boundary 2^(k/8) is therefore k = i + 1 - 192.
 *
 * Included by kernel programs and by userspace: plain C, fixed-width types from the includer.
 */
#ifndef NEARZERO_HIST_LAYOUT_H
#define NEARZERO_HIST_LAYOUT_H

#define NZ_BUCKETS 256
#define NZ_BUCKETS_PER_OCTAVE 8
#define NZ_SCHEMA 3
#define NZ_MIN_EXP (-24) /* zero threshold: 2^-24 s */
#define NZ_MAX_EXP 8     /* last boundary: 2^8 s */
#define NZ_PROM_INDEX(i) ((i) + 1 + NZ_MIN_EXP * NZ_BUCKETS_PER_OCTAVE)

#endif
