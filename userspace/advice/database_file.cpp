#include "userspace/advice/database_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <set>

#include "userspace/base/fd.h"

namespace nz::advice {
namespace {

constexpr std::string_view kMagic{"SQLite format 3\0", 16};

std::optional<struct stat> stat_of(const std::string& path) {
  struct stat s {};
  if (stat(path.c_str(), &s) != 0) return std::nullopt;
  return s;
}

// Bytes from the file's start; fewer when it ends before.
std::string head_of(const std::string& path, size_t bytes) {
  // O_NONBLOCK: a path may have become a FIFO meanwhile.
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  std::string head(bytes, '\0');
  const ssize_t got = fd.get() < 0 ? -1 : pread(fd.get(), head.data(), bytes, 0);
  head.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return head;
}

uint32_t big_endian(std::string_view bytes, size_t at, size_t length = 4) {
  uint32_t value = 0;
  for (size_t i = 0; i < length; i++)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::string target_of(const std::string& link) {
  std::array<char, 4096> text{};
  const ssize_t length = readlink(link.c_str(), text.data(), text.size());
  return length <= 0 ? std::string() : std::string(text.data(), static_cast<size_t>(length));
}

}  // namespace

std::vector<OpenDatabase> databases_of(pid_t pid, std::size_t limit) {
  std::vector<OpenDatabase> found;
  const std::string process = "/proc/" + std::to_string(pid);
  const std::unique_ptr<DIR, int (*)(DIR*)> fds(opendir((process + "/fd").c_str()), &closedir);
  if (!fds) return found;
  constexpr int kDescriptors = 65536;  // a service with more is not searched to its end
  std::set<FileId> seen;
  int looked_at = 0;
  while (const dirent* entry = readdir(fds.get())) {
    if (entry->d_name[0] == '.' || ++looked_at > kDescriptors || found.size() >= limit) continue;
    const std::string link = process + "/fd/" + entry->d_name;
    const std::string shown = target_of(link);
    if (shown.empty() || shown[0] != '/' || shown.ends_with(" (deleted)")) continue;
    if (shown.ends_with("-wal") || shown.ends_with("-shm") || shown.ends_with("-journal")) continue;
    const auto s = stat_of(link);
    if (!s || !S_ISREG(s->st_mode) || s->st_size < 100) continue;
    const FileId file{s->st_dev, s->st_ino};
    if (!seen.insert(file).second || head_of(link, kMagic.size()) != kMagic) continue;
    for (const std::string& path : {shown, process + "/root" + shown}) {
      const auto here = stat_of(path);
      if (!here || FileId{here->st_dev, here->st_ino} != file) continue;
      found.push_back({shown, path, file});
      break;
    }
  }
  std::sort(found.begin(), found.end(),
            [](const OpenDatabase& a, const OpenDatabase& b) { return a.shown < b.shown; });
  return found;
}

DatabaseSizes sizes_of(const std::string& path) {
  const auto size = [](const std::string& file) {
    const auto s = stat_of(file);
    return s ? static_cast<uint64_t>(s->st_size) : 0;
  };
  return {size(path), size(path + "-wal"), size(path + "-shm")};
}

Result<DatabaseHeader> header_of(const std::string& path) {
  const std::string head = head_of(path, 100);
  if (head.size() < 100) return fail(path + " cannot be read, or is empty");
  if (head.substr(0, kMagic.size()) != kMagic) return fail(path + " is no SQLite database");
  DatabaseHeader h;
  h.page_size = big_endian(head, 16, 2);
  if (h.page_size == 1) h.page_size = 65536;
  h.wal_mode = head[18] == 2 || head[19] == 2;
  h.change_counter = big_endian(head, 24);
  h.pages = big_endian(head, 28);
  h.schema_cookie = big_endian(head, 40);
  return h;
}

std::optional<WalState> wal_state_of(const std::string& path) {
  // Two copies of 48 bytes, then WalCkptInfo: nBackfill, aReadMark[5]. Native byte order.
  constexpr size_t kHeader = 48;
  for (int attempt = 0; attempt < 3; attempt++) {
    const std::string index = head_of(path + "-shm", 2 * kHeader + 24);
    if (index.size() < 2 * kHeader + 24) return std::nullopt;
    if (std::memcmp(index.data(), index.data() + kHeader, kHeader) != 0) continue;
    const auto word = [&](size_t at) {
      uint32_t value = 0;
      std::memcpy(&value, index.data() + at, sizeof(value));
      return value;
    };
    constexpr uint32_t kVersion = 3007000;
    if (word(0) != kVersion || index[12] != 1) return std::nullopt;  // isInit
    WalState state;
    state.change = word(8);   // iChange
    state.frames = word(16);  // mxFrame
    state.checkpointed = word(2 * kHeader);
    for (size_t i = 0; i < 5; i++) state.read_marks[i] = word(2 * kHeader + 4 + 4 * i);
    return state;
  }
  return std::nullopt;
}

}  // namespace nz::advice
