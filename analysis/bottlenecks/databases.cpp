#include "analysis/bottlenecks/databases.h"

#include <set>

namespace nz::analysis {
namespace {

bool lies_below(const std::string& path, const std::string& mount) {
  if (mount.empty() || !path.starts_with(mount)) return false;
  return mount.back() == '/' || path.size() == mount.size() || path[mount.size()] == '/';
}

std::string device_of(const WindowIndex& window, const std::string& path) {
  std::string device, longest;
  for (const WindowSeries* s : window.find("nearzero_filesystem_bytes", {{"kind", "size"}})) {
    const std::string mount = label_of(*s, "mount");
    if (mount.size() <= longest.size() || !lies_below(path, mount)) continue;
    longest = mount;
    device = label_of(*s, "device");
  }
  return device;
}

}  // namespace

std::vector<Database> databases(const Context& context, const OrderPath& path) {
  std::set<std::string> paths;  // each has a series for its file, its WAL and its index
  for (const WindowSeries* s :
       context.now.find("nearzero_sqlite_database_bytes", {{"target", path.target()}})) {
    paths.insert(label_of(*s, "database"));
  }
  std::vector<Database> all;
  for (const std::string& p : paths) all.push_back({p, device_of(context.now, p)});
  return all;
}

}  // namespace nz::analysis
