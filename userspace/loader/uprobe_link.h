// uprobe_multi links by the raw system call: libbpf 1.1 (Debian 12) does not know them yet.
#pragma once

#include <sys/types.h>

#include <span>
#include <string>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace nz::loader {

struct UprobeSite;

// enum bpf_attach_type of Linux 6.18 (include/uapi/linux/bpf.h).
inline constexpr int kTraceUprobeMulti = 48;
inline constexpr int kTraceUprobeSession = 57;

/// When the program of a link runs.
enum class UprobeKind { entry, function_return, session };

/// Attaches `program_fd` at every site of the file, for process `pid` alone (0: all). Filtered by
/// process: the text of other processes stays untouched.
Result<Fd> create_uprobe_link(int program_fd, UprobeKind kind, const std::string& path, pid_t pid,
                              std::span<const UprobeSite> sites);

}  // namespace nz::loader
