#include "userspace/resources/mounts.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "userspace/resources/text.h"

namespace nz::resources {
namespace {

bool is_octal(char c) { return c >= '0' && c <= '7'; }

// Blanks, tabs, line feeds and backslashes of paths are written as \040 and so on.
std::string decoded(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
        is_octal(text[i + 3])) {
      result +=
          static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0');
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

// "30 22 0:27 / /sys/fs/cgroup rw,relatime shared:9 - tmpfs tmpfs rw,mode=755"
bool parse_row(std::string_view line, Mount& mount) {
  Words words(line);
  words.skip(2);  // ids of the mount and its parent
  mount.device_number = words.next();
  mount.root = decoded(words.next());
  mount.point = decoded(words.next());
  words.skip(1);
  std::string_view word;
  do word = words.next();
  while (!word.empty() && word != "-");
  mount.type = words.next();
  mount.source = decoded(words.next());
  mount.options = words.next();
  return mount.point.starts_with('/') && !mount.type.empty() &&
         mount.device_number.find(':') != std::string::npos;
}

}  // namespace

bool Mount::has_option(std::string_view option) const {
  size_t begin = 0;
  while (begin <= options.size()) {
    const size_t end = std::min(options.find(',', begin), options.size());
    if (std::string_view(options).substr(begin, end - begin) == option) return true;
    begin = end + 1;
  }
  return false;
}

std::vector<Mount> parse_mountinfo(std::string_view text, uint64_t& malformed) {
  std::vector<Mount> mounts;
  Lines lines(text);
  while (const auto line = lines.next()) {
    Mount mount;
    if (parse_row(*line, mount)) {
      mounts.push_back(std::move(mount));
    } else {
      malformed++;
    }
  }
  malformed += lines.torn() ? 1 : 0;
  return mounts;
}

std::string host_process(const Paths& paths) {
  return access((paths.proc + "/1/root/.").c_str(), X_OK) == 0 ? "1" : "self";
}

Mounts::Mounts(const Paths& paths)
    : root_(paths.proc + "/" + host_process(paths) + "/root"),
      table_(paths.proc + "/" + host_process(paths) + "/mountinfo") {}

bool Mounts::changed() const {
  if (!table_.is_open()) return true;
  pollfd notice{table_.fd(), POLLPRI, 0};
  return poll(&notice, 1, 0) > 0 && (notice.revents & (POLLPRI | POLLERR)) != 0;
}

bool Mounts::refresh(Context& context) {
  const bool due = refreshes_++ % kAtLeastEvery == 0;
  if (!changed() && !due) return false;
  const auto text = table_.read(context.buffer);
  if (!text) {
    context.errors.count(Source::filesystems);
    return false;
  }
  uint64_t malformed = 0;
  mounts_ = parse_mountinfo(*text, malformed);
  context.errors.count(Source::filesystems, malformed);
  return true;
}

}  // namespace nz::resources
