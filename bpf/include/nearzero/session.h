/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* uprobe sessions (6.13, commit d920179b3d48): one program for entry and return, and 8 bytes that
 * travel from the one to the other. Returning 1 at the entry skips the return altogether. */
#ifndef NEARZERO_SESSION_H
#define NEARZERO_SESSION_H

#include "nearzero/kernel_types.h"

bool nz_is_return(void);
__u64* nz_session_data(void);

#define NZ_WANT_RETURN 0
#define NZ_SKIP_RETURN 1

#endif
