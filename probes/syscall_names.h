// Names of syscalls and errors for labels.
#pragma once

#include <cstdint>
#include <string>

namespace nz::probes {

/// "read", or "syscall_481" for a number this build's libseccomp does not know.
std::string syscall_name(uint32_t number);
/// "ENOENT", or "errno_200".
std::string errno_name(uint32_t number);

}  // namespace nz::probes
