// A file system has no space: the next write of the database fails. USE: capacity of storage.
#include <optional>
#include <string>

#include "analysis/bottlenecks/kinds.h"
#include "analysis/text.h"

namespace nz::analysis {
namespace {

constexpr const char* kBytes = "nearzero_filesystem_bytes";
constexpr const char* kInodes = "nearzero_filesystem_inodes";

struct FileSystem {
  std::string mount, device;
  double available = 0, used = 0;  ///< used: share
};

std::optional<double> free_of(const WindowIndex& window, const char* family,
                              const std::string& mount, const std::string& device) {
  const Labels available{{"mount", mount}, {"device", device}, {"kind", "available"}};
  const Labels free{{"mount", mount}, {"device", device}, {"kind", "free"}};
  const auto value = window.value(family, available);
  return value ? value : window.value(family, free);
}

// The one with the largest share in use.
std::optional<FileSystem> fullest(const WindowIndex& window, const char* family) {
  std::optional<FileSystem> most;
  for (const WindowSeries* size : window.find(family, {{"kind", "size"}})) {
    const std::string mount = label_of(*size, "mount"), device = label_of(*size, "device");
    // Images are full by nature; so is what has no free inodes because it has no table of them.
    if (size->value <= 0 || device.find("loop") != std::string::npos) continue;
    const auto available = free_of(window, family, mount, device);
    if (!available) continue;
    const double used = 1 - *available / size->value;
    if (!most || used > most->used) most = FileSystem{mount, device, *available, used};
  }
  return most;
}

}  // namespace

void find_filesystem_full(const Context& context, const OrderPath& path,
                          std::vector<Candidate>& out) {
  for (const char* family : {kBytes, kInodes}) {
    const auto full = fullest(context.now, family);
    if (!full || full->used < context.rules.filesystem_full) continue;
    const std::string& mount = full->mount;
    const bool bytes = family == kBytes;
    Candidate c = candidate("filesystem_full", path, "host filesystem " + mount);
    c.finding.title = "File system " + mount + " is full: " + percent_text(full->used) +
                      " of its " + (bytes ? "space" : "inodes") + " used";
    c.finding.evidence.push_back(
        evidence(family, {{"mount", mount}, {"kind", "available"}}, "available", full->available,
                 free_of(context.before, family, mount, full->device), bytes ? "bytes" : ""));
    c.finding.recommendation =
        "Free space on " + mount + ": du -x --max-depth=2 " + mount +
        " | sort -n | tail; old logs (journalctl --vacuum-size=500M), deleted files still open "
        "(lsof +L1), a WAL that does not shrink (PRAGMA wal_checkpoint(TRUNCATE)). Then enlarge "
        "it. SQLite fails with SQLITE_FULL when it is at its end.";
    c.always = true;
    c.least_severity =
        full->used >= context.rules.filesystem_critical ? Severity::critical : Severity::warning;
    out.push_back(std::move(c));
    return;  // the worst news of a host is enough: space before inodes
  }
}

}  // namespace nz::analysis
