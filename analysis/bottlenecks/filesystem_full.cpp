// A file system has no space: the next write of the database fails. USE: capacity of storage.
#include "analysis/bottlenecks/kinds.h"
#include "analysis/text.h"

namespace nz::analysis {

void find_filesystem_full(const Context& context, const OrderPath& path,
                          std::vector<Candidate>& out) {
  constexpr const char* kBytes = "nearzero_filesystem_bytes";
  constexpr const char* kInodes = "nearzero_filesystem_inodes";
  for (const char* family : {kBytes, kInodes}) {
    for (const WindowSeries* size : context.now.find(family, {{"kind", "size"}})) {
      const std::string mount = label_of(*size, "mount"), device = label_of(*size, "device");
      // Images are full by nature; so is what has no free inodes because it has no table of them.
      if (size->value <= 0 || device.find("loop") != std::string::npos) continue;
      const auto free_of = [&](const WindowIndex& window) {
        const Labels available{{"mount", mount}, {"device", device}, {"kind", "available"}};
        const Labels free{{"mount", mount}, {"device", device}, {"kind", "free"}};
        const auto value = window.value(family, available);
        return value ? value : window.value(family, free);
      };
      const auto available = free_of(context.now);
      if (!available) continue;
      const double used = 1 - *available / size->value;
      if (used < context.rules.filesystem_full) continue;
      const auto before = free_of(context.before);
      const bool bytes = family == kBytes;
      Candidate c = candidate("filesystem_full", path, "host filesystem " + mount);
      c.finding.title = "File system " + mount + " is full: " + percent_text(used) + " of its " +
                        (bytes ? "space" : "inodes") + " used";
      c.finding.evidence.push_back(evidence(family, {{"mount", mount}, {"kind", "available"}},
                                            "available", *available, before, bytes ? "bytes" : ""));
      c.finding.recommendation =
          "Free space on " + mount + ": du -x --max-depth=2 " + mount +
          " | sort -n | tail; old logs (journalctl --vacuum-size=500M), deleted files still open "
          "(lsof +L1), a WAL that does not shrink (PRAGMA wal_checkpoint(TRUNCATE)). Then enlarge "
          "it. SQLite fails with SQLITE_FULL when it is at its end.";
      c.always = true;
      c.least_severity =
          used >= context.rules.filesystem_critical ? Severity::critical : Severity::warning;
      out.push_back(std::move(c));
      break;  // the worst news of a host is enough: space before inodes
    }
  }
}

}  // namespace nz::analysis
