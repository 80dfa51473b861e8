#pragma once

#include <atomic>
#include <cstdint>

namespace demo {

inline constexpr const char* kSlowFsyncVfs = "nz-slow-fsync";

// While above 0 every xSync of the VFS sleeps so long before it syncs.
extern std::atomic<uint64_t> g_slow_fsync_ns;

// Registers kSlowFsyncVfs: the default VFS with its xSync replaced.
void register_slow_fsync_vfs();

}  // namespace demo
