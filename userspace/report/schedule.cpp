#include "userspace/report/schedule.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <system_error>

#include "userspace/base/fd.h"
#include "userspace/base/write_through.h"

namespace nz::report {
namespace {

constexpr double kShortest = 60;
constexpr std::string_view kPrefix = "nearzero-report-";

}  // namespace

std::string stamp_of(double to) {
  const auto seconds = static_cast<std::time_t>(std::clamp(to, 0.0, 253402300799.0));
  std::tm t{};
  gmtime_r(&seconds, &t);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &t);
  return text.data();
}

std::optional<double> parse_stamp(std::string_view text) {
  constexpr std::size_t kLength = 16;  // 20261127T000000Z
  if (text.size() != kLength) return std::nullopt;
  std::tm t{};
  const std::string stamp(text);
  const char* end = strptime(stamp.c_str(), "%Y%m%dT%H%M%SZ", &t);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return static_cast<double>(timegm(&t));
}

namespace {

// The end of the period that a file name tells; nothing where it is none of ours.
std::optional<double> period_of(std::string_view name, std::string_view ending) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos || name.substr(dot + 1) != ending) return std::nullopt;
  return parse_stamp(name.substr(0, dot));
}

Result<void> write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("write " + path, errno, "is the disk full?");
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

Schedule::Schedule(const Options& options, std::optional<double> last, double now)
    : options_(options) {
  options_.every = std::max(options_.every, kShortest);
  last_ = last.value_or(end_before(now));
}

double Schedule::end_before(double at) const {
  return std::floor((at - options_.offset) / options_.every) * options_.every + options_.offset;
}

std::optional<Period> Schedule::due(double now) {
  const double end = end_before(now - options_.settle);
  if (last_ > now + 2 * options_.every) last_ = end;  // the clock is another one now
  // Less than half a period after the last: the length was changed, or that one was made by hand.
  if (end < last_ + options_.every / 2) return std::nullopt;
  last_ = end;
  return Period{end - options_.every, end};
}

ReportFiles::ReportFiles(std::string directory, std::string ending, std::size_t keep)
    : directory_(std::move(directory)),
      ending_(std::move(ending)),
      keep_(std::max<std::size_t>(keep, 1)) {}

std::string ReportFiles::path_of(double to) const {
  return directory_ + "/" + std::string(kPrefix) + stamp_of(to) + "." + ending_;
}

Result<std::string> ReportFiles::write(double to, const std::string& text) const {
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error)
    return fail_errno("make the directory " + directory_, error.value(),
                      "name another one for reports, or make it");
  constexpr unsigned kMode = 0640;
  std::string path = path_of(to);
  const auto written = write_whole(path, text, kMode);
  if (!written) return tl::unexpected(written.error());
  prune(path);
  return path;
}

std::vector<double> ReportFiles::periods() const {
  std::vector<double> found;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory_, error), end; !error && it != end;
       it.increment(error)) {
    if (const auto period = period_of(it->path().filename().string(), ending_))
      found.push_back(*period);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::optional<double> ReportFiles::newest() const {
  const auto all = periods();
  return all.empty() ? std::nullopt : std::optional(all.back());
}

void ReportFiles::prune(const std::string& fresh) const {
  // Not the oldest by name: others may be of a clock that was ahead.
  std::vector<double> others = periods();
  std::erase_if(others, [&](double period) { return path_of(period) == fresh; });
  for (std::size_t i = 0; i + keep_ <= others.size(); i++) unlink(path_of(others[i]).c_str());
}

Result<void> write_whole(const std::string& path, const std::string& text, unsigned mode) {
  struct stat there {};
  if (lstat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode) && !S_ISLNK(there.st_mode))
    return fail("write " + path + ": it is no regular file", "name another one, or move it away");
  const std::string temporary = path + ".part";
  unlink(temporary.c_str());  // of a crash; never followed where it is a link
  Fd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd.valid())
    return fail_errno("write " + temporary, errno, "may you write to its directory?");
  auto written = write_all(fd.get(), text, temporary);
  if (written && fsync(fd.get()) != 0)
    written = fail_errno("write " + temporary, errno, "is the disk full?");
  if (written && rename(temporary.c_str(), path.c_str()) != 0)
    written = fail_errno("rename " + temporary, errno);
  if (!written) {
    unlink(temporary.c_str());
    return written;
  }
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "."
                             : slash == 0               ? "/"
                                                        : path.substr(0, slash);
  const Fd directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.valid()) fsync(directory.get());
  return {};
}

Result<void> write_output(const std::string& path, const std::string& text, unsigned mode) {
  std::error_code missing;
  if (is_special(path) || std::filesystem::is_symlink(path, missing))
    return write_through(path, text, true);
  return write_whole(path, text, mode);
}

}  // namespace nz::report
