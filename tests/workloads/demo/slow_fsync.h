#pragma once

#include <atomic>

namespace demo {

inline constexpr const char* kSlowFsyncVfs = "nz-slow-fsync";

// While true every xSync of the VFS sleeps 20 ms before it syncs.
extern std::atomic<bool> g_slow_fsync;

// Registers kSlowFsyncVfs: the default VFS with its xSync replaced.
void register_slow_fsync_vfs();

}  // namespace demo
