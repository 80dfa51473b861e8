#include "tests/workloads/demo/slow_fsync.h"

#include <sqlite3.h>

#include <deque>
#include <mutex>

#include "tests/workloads/common/workload.h"

namespace demo {

std::atomic<uint64_t> g_slow_fsync_ns{0};

namespace {

sqlite3_vfs* g_base = nullptr;
sqlite3_vfs g_shim;

// The default VFS has a method table per kind of file; each gets one patched copy.
struct PatchedMethods {
  const sqlite3_io_methods* original;
  sqlite3_io_methods methods;
};
std::mutex g_mutex;
std::deque<PatchedMethods> g_patched;  // a deque: files point into it

// All tables of the unix VFS share this function.
int (*g_real_sync)(sqlite3_file*, int) = nullptr;

int slow_sync(sqlite3_file* file, int flags) {
  const uint64_t delay_ns = g_slow_fsync_ns.load(std::memory_order_relaxed);
  if (delay_ns > 0) nz::workload::sleep_ns(delay_ns);
  return g_real_sync(file, flags);
}

int open_patched(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
  const int rc = g_base->xOpen(vfs, name, file, flags, out);
  if (file->pMethods == nullptr) return rc;
  std::lock_guard lock(g_mutex);
  for (const PatchedMethods& patched : g_patched) {
    if (patched.original == file->pMethods) {
      file->pMethods = &patched.methods;
      return rc;
    }
  }
  g_real_sync = file->pMethods->xSync;
  g_patched.push_back({file->pMethods, *file->pMethods});
  g_patched.back().methods.xSync = slow_sync;
  file->pMethods = &g_patched.back().methods;
  return rc;
}

}  // namespace

void register_slow_fsync_vfs() {
  g_base = sqlite3_vfs_find(nullptr);
  g_shim = *g_base;  // same file size, same pAppData: the base's functions work on our files
  g_shim.zName = kSlowFsyncVfs;
  g_shim.pNext = nullptr;
  g_shim.xOpen = open_patched;
  sqlite3_vfs_register(&g_shim, 0);
}

}  // namespace demo
