#include "userspace/advice/lock_holders.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace nz::advice {
namespace {

// wal.c and os_unix.c: UNIX_SHM_BASE + WAL_WRITE_LOCK and so on; os.h: PENDING_BYTE.
constexpr uint64_t kShmWrite = 120, kShmCheckpoint = 121, kShmRecover = 122, kShmRead = 123;
constexpr int kReadMarks = 5;
constexpr uint64_t kPending = 0x40000000, kReserved = kPending + 1, kShared = kPending + 2,
                   kSharedSize = 510;

std::string comm_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string comm;
  std::getline(file, comm);
  return comm;
}

bool covers(const FileLock& lock, uint64_t byte) { return lock.first <= byte && byte <= lock.last; }

class Holders {
 public:
  void add(const FileLock& lock, DatabaseLock kind, uint64_t version, int mark = -1,
           bool pins = false, bool whole_file = false) {
    const auto known = std::find_if(all.begin(), all.end(), [&](const LockHolder& h) {
      return h.pid == lock.pid && h.lock == kind && h.mark == mark;
    });
    if (known == all.end()) {
      all.push_back({lock.pid, comm_of(lock.pid), kind, mark, version, pins, whole_file});
    } else {
      known->whole_file = known->whole_file || whole_file;
    }
  }
  std::vector<LockHolder> all;
};

void in_wal_index(const FileLock& lock, const WalState& wal, Holders& holders) {
  if (covers(lock, kShmWrite)) holders.add(lock, DatabaseLock::write, wal.change);
  if (covers(lock, kShmCheckpoint)) holders.add(lock, DatabaseLock::checkpoint, wal.checkpointed);
  if (covers(lock, kShmRecover)) holders.add(lock, DatabaseLock::recover, wal.change);
  for (int i = 0; i < kReadMarks; i++) {
    // Exclusive: a checkpoint copies frames (mark 0), or a mark is being moved. That is no reader.
    if (lock.write || !covers(lock, kShmRead + static_cast<uint64_t>(i))) continue;
    // A reader on mark 0 reads the database alone: nothing may be written there meanwhile.
    const uint32_t seen = i == 0 ? 0 : wal.read_marks[i];
    const bool pins = wal.lag() > 0 && (i == 0 || seen < wal.frames);
    holders.add(lock, DatabaseLock::read, seen, i, pins);
  }
}

void in_database(const FileLock& lock, const DatabaseHeader& header, Holders& holders) {
  // In WAL mode every connection keeps SHARED for good: that says nothing.
  const bool shared = lock.first < kShared + kSharedSize && lock.last >= kShared;
  if (shared && !lock.write && !header.wal_mode)
    holders.add(lock, DatabaseLock::read, header.change_counter);
  if (lock.write && (shared || covers(lock, kReserved) || covers(lock, kPending)))
    holders.add(lock, DatabaseLock::write, header.change_counter, -1, false, shared);
}

}  // namespace

const char* name_of(DatabaseLock lock) {
  switch (lock) {
    case DatabaseLock::write:
      return "write";
    case DatabaseLock::checkpoint:
      return "checkpoint";
    case DatabaseLock::recover:
      return "recover";
    default:
      return "read";
  }
}

// "4: POSIX  ADVISORY  WRITE 1234 fe:00:5678 120 120", a waiter with "->" behind the number.
std::vector<FileLock> parse_locks(std::string_view text) {
  std::vector<FileLock> locks;
  std::istringstream lines{std::string(text)};
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string number, kind, advisory, mode, file, last;
    FileLock lock;
    if (!(words >> number >> kind)) continue;
    if (kind == "->") {
      lock.waits = true;
      if (!(words >> kind)) continue;
    }
    if (kind != "POSIX" && kind != "OFDLCK") continue;
    if (!(words >> advisory >> mode >> lock.pid >> file >> lock.first >> last)) continue;
    unsigned major_number = 0, minor_number = 0;
    unsigned long inode = 0;
    if (std::sscanf(file.c_str(), "%x:%x:%lu", &major_number, &minor_number, &inode) != 3) continue;
    lock.file = {makedev(major_number, minor_number), inode};
    lock.write = mode == "WRITE";
    lock.last = UINT64_MAX;
    if (last != "EOF" && std::sscanf(last.c_str(), "%lu", &lock.last) != 1) continue;
    locks.push_back(lock);
  }
  return locks;
}

std::vector<FileLock> all_locks(const std::string& proc_locks) {
  std::ifstream file(proc_locks);
  std::ostringstream text;
  text << file.rdbuf();
  return parse_locks(text.str());
}

std::vector<LockHolder> lock_holders(const OpenDatabase& database,
                                     const std::vector<FileLock>& locks) {
  Holders holders;
  const auto header = header_of(database.path);
  struct stat index {};
  const bool has_index = stat((database.path + "-shm").c_str(), &index) == 0;
  const WalState wal =  // without one: nothing is behind
      has_index ? wal_state_of(database.path).value_or(WalState{}) : WalState{};
  for (const FileLock& lock : locks) {
    if (lock.waits) continue;
    // By inode: on btrfs and overlayfs the device that stat shows is not the one of the lock. The
    // bytes are SQLite's own, so that another file with this number is no danger.
    if (header && lock.file.inode == database.file.inode) in_database(lock, *header, holders);
    if (has_index && lock.file.inode == index.st_ino) in_wal_index(lock, wal, holders);
  }
  return holders.all;
}

}  // namespace nz::advice
