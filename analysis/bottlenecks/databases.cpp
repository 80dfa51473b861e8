#include "analysis/bottlenecks/databases.h"

#include <set>

namespace nz::analysis {
namespace {

std::string device_of(const Context& context, const std::string& target, const std::string& path) {
  const auto all =
      context.now.find("nearzero_sqlite_database_device", {{"target", target}, {"database", path}});
  // Two in one window: the file was replaced, and what failed may be of either disk.
  return all.size() == 1 ? label_of(*all.front(), "device") : std::string{};
}

}  // namespace

std::vector<Database> databases(const Context& context, const OrderPath& path) {
  std::set<std::string> paths;  // each has a series for its file, its WAL and its index
  for (const WindowSeries* s :
       context.now.find("nearzero_sqlite_database_bytes", {{"target", path.target()}})) {
    paths.insert(label_of(*s, "database"));
  }
  std::vector<Database> all;
  for (const std::string& p : paths) all.push_back({p, device_of(context, path.target(), p)});
  return all;
}

}  // namespace nz::analysis
