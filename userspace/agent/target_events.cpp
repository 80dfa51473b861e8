#include "userspace/agent/target_events.h"

#include <utility>

#include "userspace/sites/elf_file.h"

namespace nz::agent {
namespace {

constexpr std::size_t kMost = 32;  // of a step: a target may have thousands of processes
constexpr std::size_t kMostBuilds = 1024;

std::string pid_text(pid_t pid) { return " (pid " + std::to_string(pid) + ")"; }

}  // namespace

void TargetEvents::started(double now, const std::string& target, const targets::Process& process,
                           std::vector<analysis::Event>& out) {
  const std::string build = build_of_(process);
  if (!first_ && out.size() < kMost)
    out.push_back(
        {now, "process_start", target, process.comm + pid_text(process.pid) + " started"});
  if (build.empty() || builds_.size() >= kMostBuilds) return;
  std::string& known = builds_[target + '\n' + process.exe];
  if (!known.empty() && known != build && out.size() < kMost) {
    out.push_back({now, "new_build", target,
                   process.exe + " is a new build: " + build.substr(0, 12) + ", before " +
                       known.substr(0, 12)});
  }
  known = build;
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
