#include "userspace/store/database.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <system_error>

#include "userspace/store/schema.h"

namespace nz::store {
namespace {

namespace fs = std::filesystem;

constexpr int kWaitMs = 10'000;    // for an import's transaction, or for ours
constexpr mode_t kMode = 0640;     // texts of statements are in it
constexpr std::size_t kOlder = 2;  // damaged files that stay beside a new one

// Every commit is on the disk when it returns (synchronous=FULL): one fdatasync of the WAL in 10 s,
// and after its first round the WAL is overwritten in place, which needs no journal of the file
// system. The WAL is copied to the database each 4 MB, and cut back to 16 MB after a longer one.
constexpr const char* kSettings =
    "PRAGMA synchronous=FULL;"
    "PRAGMA wal_autocheckpoint=1000;"
    "PRAGMA journal_size_limit=16777216;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA cache_size=-4096;";

Result<void> make_folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  if (!folder.empty() && mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST)
    return fail_errno("create " + folder, errno, "create it, or give another path");
  return {};
}

Result<void> make_file(const std::string& path) {
  struct stat s {};
  if (stat(path.c_str(), &s) == 0) {
    if (S_ISREG(s.st_mode)) return {};
    return fail(path + " is not a file", "give the path of a file", EISDIR);
  }
  if (auto made = make_folder_of(path); !made) return made;
  // Before any connection is open: closing a descriptor gives up the locks of the whole process.
  const Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode));
  if (!fd.valid()) return fail_errno("create " + path, errno, "give another path, or run as root");
  return {};
}

std::string time_text(double unix_seconds) {
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm t{};
  gmtime_r(&seconds, &t);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &t);
  return text.data();
}

constexpr std::array<const char*, 3> kParts{"", "-wal", "-shm"};

void remove_older(const std::string& path) {
  const fs::path whole(path);
  const std::string prefix = whole.filename().string() + ".corrupt-";
  std::vector<std::string> found;
  std::error_code error;
  const fs::path folder = whole.has_parent_path() ? whole.parent_path() : fs::path(".");
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with('Z')) found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  for (std::size_t i = 0; i + kOlder < found.size(); i++) {
    for (const char* part : kParts) std::remove((found[i] + part).c_str());
  }
}

}  // namespace

Result<std::unique_ptr<Connection>> open_to_write(const std::string& path, const std::string& vfs) {
  if (auto made = make_file(path); !made) return tl::unexpected(made.error());
  auto opened = Connection::open(path, {.write = true, .vfs = vfs, .wait_ms = kWaitMs});
  if (!opened) return opened;
  if (auto ready = migrate(**opened); !ready) return tl::unexpected(ready.error());
  (*opened)->script(kSettings);
  if (auto ready = (*opened)->outcome(); !ready) return tl::unexpected(ready.error());
  return opened;
}

Result<std::unique_ptr<Connection>> open_to_read(const std::string& path, const std::string& vfs) {
  struct stat s {};
  if (stat(path.c_str(), &s) != 0)
    return fail_errno("open " + path, errno,
                      "is it where the agent keeps its history? see history.path, --db");
  const auto opened_as = [&](bool immutable) -> Result<std::unique_ptr<Connection>> {
    auto opened = Connection::open(path, {.immutable = immutable, .vfs = vfs, .wait_ms = kWaitMs});
    if (!opened) return opened;
    Connection& c = **opened;
    const auto version = c.number("PRAGMA user_version").value_or(0);
    const bool ours = c.number("PRAGMA application_id").value_or(0) == kApplicationId;
    if (auto read = c.outcome(); !read) return tl::unexpected(read.error());
    if (version == 0 || !ours)
      return fail(path + " has no history in it", "has an agent written to it?", EPROTONOSUPPORT);
    if (version > kSchemaVersion) {
      return fail(
          path + " was written by a newer nearzero (schema " + std::to_string(version) + ")",
          "use that version", EPROTONOSUPPORT);
    }
    c.script("PRAGMA temp_store=MEMORY; PRAGMA cache_size=-2048");
    return opened;
  };
  auto opened = opened_as(false);
  // On a file system that is read-only SQLite cannot make the -shm that it reads a WAL with. There
  // nobody writes.
  if (!opened && access(path.c_str(), W_OK) != 0 && access((path + "-wal").c_str(), F_OK) != 0 &&
      access(path.c_str(), R_OK) == 0)
    return opened_as(true);
  return opened;
}

Result<Fd> lock_for_recording(const std::string& path) {
  if (auto made = make_folder_of(path); !made) return tl::unexpected(made.error());
  const std::string name = path + ".lock";
  Fd fd(open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode));
  if (!fd.valid()) return fail_errno("open " + name, errno, "give another path, or run as root");
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 32> pid{};
    if (read(fd.get(), pid.data(), pid.size() - 1) < 0) pid[0] = '\0';
    return fail(std::string("another agent records to ") + path + ", pid " + pid.data(),
                "give this one another path for its history", EWOULDBLOCK);
  }
  const std::string pid = std::to_string(getpid());
  // Only for the message above; a full disk must not keep us from recording later.
  if (ftruncate(fd.get(), 0) == 0) {
    [[maybe_unused]] const ssize_t written = write(fd.get(), pid.c_str(), pid.size());
  }
  return fd;
}

Result<std::string> set_aside(const std::string& path, double unix_seconds) {
  const std::string name = path + ".corrupt-" + time_text(unix_seconds);
  // The database last: a WAL without its database could be taken for that of the next one.
  for (const char* part : {"-shm", "-wal", ""}) {
    if (std::rename((path + part).c_str(), (name + part).c_str()) != 0 && errno != ENOENT)
      return fail_errno("rename " + path + part, errno, "move it away");
  }
  remove_older(path);
  return name;
}

FileSizes sizes_of(const std::string& path) {
  const auto size = [](const std::string& file) -> std::uint64_t {
    struct stat s {};
    return stat(file.c_str(), &s) == 0 ? static_cast<std::uint64_t>(s.st_size) : 0;
  };
  return {size(path), size(path + "-wal")};
}

bool belongs_to(const std::string& file, const std::string& path) {
  return std::any_of(kParts.begin(), kParts.end(), [&](const char* part) {
    std::error_code missing;
    return fs::equivalent(file, path + part, missing);
  });
}

}  // namespace nz::store
