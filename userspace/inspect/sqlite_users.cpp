#include "userspace/inspect/sqlite_users.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <map>

#include "probes/sqlite/locate.h"
#include "userspace/base/fd.h"
#include "userspace/sites/kernel.h"
#include "userspace/targets/process.h"

namespace nz::inspect {
namespace {

using FileId = std::pair<dev_t, ino_t>;

// Whether SQLite's code is in the file: it compares databases with this, terminating NUL included.
// What only speaks of the format in a text (file(1)'s magic) has no NUL after it, or is no code.
bool contains_sqlite(int fd) {
  static const std::string magic = probes::sqlite_magic();
  constexpr size_t kChunk = 1 << 20;
  std::vector<char> buffer(kChunk + magic.size());
  size_t kept = 0;
  for (off_t at = 0;;) {
    const ssize_t got = pread(fd, buffer.data() + kept, kChunk, at);
    if (got <= 0) return false;
    const size_t filled = kept + static_cast<size_t>(got);
    if (memmem(buffer.data(), filled, magic.data(), magic.size()) != nullptr) return true;
    at += got;
    kept = std::min(filled, magic.size() - 1);  // it may lie across the border
    std::memmove(buffer.data(), buffer.data() + filled - kept, kept);
  }
}

// The agent has SQLite in it for its own questions, and is nobody's service.
bool is_our_own(pid_t pid) {
  struct stat own {};
  struct stat other {};
  return stat("/proc/self/exe", &own) == 0 &&
         stat(("/proc/" + std::to_string(pid) + "/exe").c_str(), &other) == 0 &&
         own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

class Search {
 public:
  // The mapping that holds SQLite: libsqlite3 before the executable before any other library.
  const targets::Mapping* in(pid_t pid, const targets::Process& process,
                             const std::vector<targets::Mapping>& mappings, std::string& linkage) {
    const targets::Mapping* best = nullptr;
    int best_rank = 3;
    for (const targets::Mapping& m : mappings) {
      const std::string name = m.path.substr(m.path.rfind('/') + 1);
      const int rank = name.starts_with("libsqlite3") ? 0 : m.path == process.exe ? 1 : 2;
      if (rank < best_rank && holds(targets::openable_path(pid, m))) {
        best = &m;
        best_rank = rank;
      }
    }
    linkage = best_rank == 0 ? "shared" : best_rank == 1 ? "static" : "bundled";
    return best;
  }

 private:
  bool holds(const std::string& path) {
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (!fd.valid() || fstat(fd.get(), &info) != 0) return false;
    const auto [at, fresh] = known_.try_emplace({info.st_dev, info.st_ino}, false);
    if (fresh) at->second = contains_sqlite(fd.get());
    return at->second;
  }
  std::map<FileId, bool> known_;
};

SqliteUser describe(pid_t pid, const targets::Process& process, const targets::Mapping& mapping,
                    const std::string& linkage, const sites::KernelTraits& kernel) {
  SqliteUser user;
  user.pid = pid;
  user.comm = process.comm;
  user.linkage = linkage;
  user.file = mapping.path;
  user.databases = probes::open_databases(pid);
  const auto found = probes::locate_sqlite(pid, mapping.path, kernel);
  if (!found) {
    user.missing.push_back(found.error().text());
    return user;
  }
  user.version = found->offsets.version.value.value_or("");
  if (found->can_step()) user.plans.emplace_back("step");
  if (found->can_boundary()) user.plans.emplace_back("boundary");
  user.missing = found->missing;
  return user;
}

}  // namespace

std::vector<SqliteUser> sqlite_users(size_t* unreadable,
                                     const std::function<void(size_t, size_t)>& progress) {
  std::vector<SqliteUser> users;
  const sites::KernelTraits kernel = sites::detect();
  const std::vector<pid_t> pids = targets::list_processes();
  Search search;
  size_t done = 0;
  for (const pid_t pid : pids) {
    progress(done++, pids.size());
    const auto process = targets::read_process(pid);
    if (!process || process->kernel_thread() || is_our_own(pid)) continue;
    const auto mappings = targets::executable_files(pid);
    // Even a static executable maps itself: nothing at all means that we may not look.
    if (mappings.empty()) {
      if (unreadable != nullptr && access(("/proc/" + std::to_string(pid)).c_str(), F_OK) == 0)
        ++*unreadable;
      continue;
    }
    std::string linkage;
    if (const auto* mapping = search.in(pid, *process, mappings, linkage))
      users.push_back(describe(pid, *process, *mapping, linkage, kernel));
  }
  return users;
}

}  // namespace nz::inspect
