#include "userspace/agent/target_events.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "userspace/sites/elf_file.h"

namespace nz::agent {
namespace {

constexpr std::size_t kMost = 32;  // of a step: a target may have thousands of processes
constexpr std::size_t kMostBuilds = 256;

using nlohmann::json;

std::string pid_text(pid_t pid) { return " (pid " + std::to_string(pid) + ")"; }

}  // namespace

void TargetEvents::started(double now, const std::string& target, const targets::Process& process,
                           std::vector<analysis::Event>& out) {
  const std::string build = build_of_(process);
  if (!first_ && out.size() < kMost)
    out.push_back(
        {now, "process_start", target, process.comm + pid_text(process.pid) + " started"});
  if (build.empty()) return;
  Build& known = builds_[target + '\n' + process.exe];
  if (!known.id.empty() && known.id != build && out.size() < kMost) {
    out.push_back({now, "new_build", target,
                   process.exe + " is a new build: " + build.substr(0, 12) + ", before " +
                       known.id.substr(0, 12)});
  }
  builds_changed_ = builds_changed_ || known.id != build;
  known = {build, now};
  if (builds_.size() <= kMostBuilds) return;
  // Executables whose names have a version in them come and go.
  builds_.erase(std::min_element(builds_.begin(), builds_.end(), [](const auto& a, const auto& b) {
    return a.second.seen < b.second.seen;
  }));
}

Result<void> TargetEvents::restore(const std::string& saved) {
  try {
    const json all = json::parse(saved);
    for (const json& one : all.get_ref<const json::array_t&>())
      builds_[one.at("of").get<std::string>()] = {one.at("build").get<std::string>(),
                                                  one.at("seen").get<double>()};
    return {};
  } catch (const json::exception& e) {
    builds_.clear();  // not a part of them
    return fail(e.what());
  }
}

std::optional<std::string> TargetEvents::save() {
  if (!builds_changed_) return std::nullopt;
  builds_changed_ = false;
  json out = json::array();
  for (const auto& [of, build] : builds_)
    out.push_back({{"of", of}, {"build", build.id}, {"seen", build.seen}});
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<analysis::Event> TargetEvents::step(double now, const targets::Tracker& tracker) {
  std::vector<analysis::Event> out;
  if (!first_ && tracker.version() == version_) return out;
  version_ = tracker.version();
  std::map<pid_t, Known> present;
  for (const auto& [pid, member] : tracker.members()) {
    const config::Target* target = tracker.target(member.slot);
    if (member.by_fork || target == nullptr) continue;
    const targets::Process& process = member.process;
    const auto before = known_.find(pid);
    const bool same = before != known_.end() && before->second.start_time == process.start_time &&
                      before->second.name == process.comm;
    if (!same) started(now, target->name, process, out);
    present[pid] = {target->name, process.comm, process.start_time};
  }
  for (const auto& [pid, known] : known_) {
    if (!present.contains(pid) && out.size() < kMost)
      out.push_back({now, "process_end", known.target, known.name + pid_text(pid) + " ended"});
  }
  known_ = std::move(present);
  first_ = false;
  return out;
}

std::string build_of(const targets::Process& process) {
  const auto file = sites::ElfFile::open("/proc/" + std::to_string(process.pid) + "/exe");
  return file ? file->build_id() : std::string{};
}

}  // namespace nz::agent
