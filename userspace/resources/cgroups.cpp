#include "userspace/resources/cgroups.h"

#include <algorithm>
#include <set>

#include "userspace/resources/text.h"

namespace nz::resources {
namespace {

// "4:cpu,cpuacct:/path": a path may contain colons.
bool split(std::string_view line, std::string_view& controllers, std::string_view& path) {
  const size_t first = line.find(':');
  const size_t second = line.find(':', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return false;
  controllers = line.substr(first + 1, second - first - 1);
  path = line.substr(second + 1);
  return path.starts_with('/');
}

bool lists(std::string_view controllers, std::string_view wanted) {
  return Mount{{}, {}, {}, {}, {}, std::string(controllers)}.has_option(wanted);
}

// The limits that bind the places: each group's counted once, and none at all where one place has
// none.
template <class Value>
class Binding {
 public:
  // Of one place's groups the least binds.
  void add_least(const std::vector<const Cgroup*>& groups,
                 std::optional<Value> (Cgroup::*limit)() const) {
    const Cgroup* least = nullptr;
    for (const Cgroup* group : groups) {
      if (!(group->*limit)()) continue;
      if (least == nullptr || *(group->*limit)() < *(least->*limit)()) least = group;
    }
    if (least != nullptr) {
      binding_[least] = *(least->*limit)();
    } else {
      unlimited_ = true;
    }
  }
  [[nodiscard]] std::optional<Value> sum() const {
    if (unlimited_ || binding_.empty()) return std::nullopt;
    Value total{};
    for (const auto& [group, value] : binding_) total += value;
    return total;
  }

 private:
  std::map<const Cgroup*, Value> binding_;
  bool unlimited_ = false;
};

void take_larger(std::optional<Pressure>& into, const std::optional<Pressure>& from) {
  if (!from) return;
  if (!into) into = Pressure{};
  into->some = std::max(into->some, from->some);
  if (from->full) into->full = std::max(into->full.value_or(0), *from->full);
}

}  // namespace

void Cgroups::update(const Mounts& mounts) {
  cpu_v1_.reset();
  memory_v1_.reset();
  unified_.reset();
  for (const Mount& mount : mounts.all()) {
    const auto hierarchy = [&](CgroupKind kind) {
      return Hierarchy{mounts.reach(mount.point), mount.root, kind};
    };
    if (mount.type == "cgroup2") unified_ = hierarchy(CgroupKind::unified);
    if (mount.type != "cgroup") continue;
    if (mount.has_option("cpu")) cpu_v1_ = hierarchy(CgroupKind::cpu_v1);
    if (mount.has_option("memory")) memory_v1_ = hierarchy(CgroupKind::memory_v1);
  }
  places_.clear();
}

std::vector<CgroupPlace::Level> Cgroups::levels(const Hierarchy& hierarchy, std::string_view path) {
  // Of a hierarchy that is mounted in part we can reach that part only.
  if (hierarchy.root != "/") {
    if (!path.starts_with(hierarchy.root)) return {};
    path.remove_prefix(hierarchy.root.size());
    if (!path.empty() && path.front() != '/') return {};
  }
  while (path.ends_with('/')) path.remove_suffix(1);
  std::vector<CgroupPlace::Level> result;
  while (!path.empty()) {
    result.push_back({hierarchy.folder + std::string(path), hierarchy.kind});
    path = path.substr(0, path.rfind('/'));
  }
  result.push_back({hierarchy.folder, hierarchy.kind});  // a real group where we are in a container
  return result;
}

CgroupPlace Cgroups::locate(std::string_view text) const {
  CgroupPlace place;
  std::string_view controllers;
  std::string_view path;
  Lines lines(text);
  while (const auto line = lines.next()) {
    // ".." leads out of what we can see: the process is in another cgroup namespace.
    if (!split(*line, controllers, path) || path.find("/..") != std::string_view::npos) continue;
    if (cpu_v1_ && lists(controllers, "cpu")) place.cpu = levels(*cpu_v1_, path);
    if (memory_v1_ && lists(controllers, "memory")) place.memory = levels(*memory_v1_, path);
    if (!unified_ || !controllers.empty()) continue;
    const auto own = levels(*unified_, path);
    if (!cpu_v1_) place.cpu = own;
    if (!memory_v1_) place.memory = own;
    if (own.size() > 1) place.pressure = own.front().folder;
  }
  place.memory_is_own = place.memory.size() > 1;
  return place;
}

std::shared_ptr<const CgroupPlace> Cgroups::place(const std::string& text) {
  Known& known = places_[text];
  if (!known.place) known.place = std::make_shared<const CgroupPlace>(locate(text));
  known.round = round_;
  return known.place;
}

const Cgroup* Cgroups::read(Context& context, const CgroupPlace::Level& level, bool own) {
  auto found = followed_.find(level.folder);
  if (found == followed_.end()) {
    if (followed_.size() >= kFollowed) {
      context.errors.count(Source::cgroups);
      return nullptr;
    }
    found = followed_.emplace(level.folder, Followed{Cgroup(level.folder, level.kind)}).first;
  }
  Followed& followed = found->second;
  followed.own = followed.own || own;
  if (followed.round != round_) followed.cgroup.read(context, followed.own);
  followed.round = round_;
  return &followed.cgroup;
}

std::vector<const Cgroup*> Cgroups::read_all(Context& context,
                                             const std::vector<CgroupPlace::Level>& levels,
                                             bool own) {
  std::vector<const Cgroup*> groups;
  for (size_t i = 0; i < levels.size(); i++) {
    const Cgroup* group = read(context, levels[i], own && i == 0);
    if (group != nullptr) groups.push_back(group);
  }
  return groups;
}

CgroupSummary Cgroups::summary(Context& context,
                               const std::vector<std::shared_ptr<const CgroupPlace>>& places) {
  CgroupSummary result;
  Binding<double> cores;
  Binding<uint64_t> limits;
  std::set<const Cgroup*> throttling;
  std::set<const Cgroup*> charged;
  for (const auto& place : std::set(places.begin(), places.end())) {
    const auto cpu = read_all(context, place->cpu, place->cpu.size() > 1);
    cores.add_least(cpu, &Cgroup::cores);
    throttling.insert(cpu.begin(), cpu.end());
    const auto memory = read_all(context, place->memory, place->memory_is_own);
    limits.add_least(memory, &Cgroup::memory_limit);
    if (place->memory_is_own && !memory.empty()) charged.insert(memory.front());
    if (place->pressure.empty()) continue;
    const Cgroup* group = read(context, {place->pressure, CgroupKind::unified}, true);
    for (size_t r = 0; group != nullptr && r < result.pressure.size(); r++) {
      take_larger(result.pressure[r], group->pressure()[r]);
    }
  }
  result.cores = cores.sum();
  result.memory_limit = limits.sum();
  for (const Cgroup* group : throttling) {
    result.throttling.periods += group->throttling().periods;
    result.throttling.throttled += group->throttling().throttled;
    result.throttling.nanoseconds += group->throttling().nanoseconds;
  }
  for (const Cgroup* group : charged) {
    if (group->memory_used())
      result.memory_used = result.memory_used.value_or(0) + *group->memory_used();
  }
  return result;
}

void Cgroups::end() {
  std::erase_if(followed_, [&](const auto& entry) { return entry.second.round != round_; });
  std::erase_if(places_, [&](const auto& entry) { return entry.second.round != round_; });
}

}  // namespace nz::resources
