#include "userspace/targets/tracker.h"

#include <unistd.h>

#include <algorithm>

#include "nearzero/abi.h"
#include "userspace/targets/match.h"

namespace nz::targets {

std::vector<Change> Tracker::configure(const std::vector<config::Target>& targets) {
  version_++;
  targets_.clear();
  without_slot_.clear();
  for (const config::Target& target : targets) {
    const auto [known, fresh] =
        slot_of_.emplace(target.name, static_cast<uint32_t>(slot_of_.size()) + 1);
    if (known->second <= NZ_MAX_TARGETS) {
      targets_[known->second] = target;
    } else {
      slot_of_.erase(known);
      without_slot_.push_back(target.name);
    }
  }

  std::vector<Change> changes;
  std::vector<pid_t> gone;
  for (auto& [pid, member] : members_) {
    const auto target = targets_.find(member.slot);
    if (target == targets_.end()) {
      gone.push_back(pid);
      continue;
    }
    member.by_fork = member.by_fork && target->second.follow_forks;
    if (!member.by_fork && !matches(target->second.match, member.process)) gone.push_back(pid);
  }
  for (const pid_t pid : gone) remove(pid, changes);
  return changes;
}

uint32_t Tracker::slot_for(const Process& process) const {
  if (process.pid == getpid()) return 0;  // never observe ourselves
  for (const auto& [slot, target] : targets_) {
    if (matches(target.match, process)) return slot;
  }
  return 0;
}

void Tracker::remove(pid_t pid, std::vector<Change>& changes) {
  const auto member = members_.find(pid);
  if (member == members_.end()) return;
  changes.push_back({Change::Kind::removed, member->second});
  members_.erase(member);
  version_++;
}

void Tracker::add(const Member& member, std::vector<Change>& changes) {
  members_[member.process.pid] = member;
  version_++;
  changes.push_back({Change::Kind::added, member});
}

std::vector<Change> Tracker::look_at(const Process& process) {
  std::vector<Change> changes;
  const auto known = members_.find(process.pid);
  uint32_t slot = slot_for(process);
  bool by_fork = false;
  if (known != members_.end()) {
    const Member& member = known->second;
    const bool same_image =
        member.process.start_time == process.start_time && member.process.exe == process.exe;
    if (same_image && (member.by_fork || member.slot == slot)) return changes;
    // An exec that no event has told: a child stays one, as in on_exec().
    by_fork = member.by_fork && member.process.start_time == process.start_time &&
              (slot == 0 || slot == member.slot);
    if (by_fork) slot = member.slot;
    remove(process.pid, changes);
  }
  if (slot != 0) add({process, slot, by_fork}, changes);
  return changes;
}

std::vector<Change> Tracker::scan(const std::vector<pid_t>& pids) {
  std::vector<Change> changes;
  const std::set<pid_t> alive(pids.begin(), pids.end());
  std::vector<pid_t> gone;
  for (const auto& [pid, member] : members_) {
    if (!alive.contains(pid)) gone.push_back(pid);
  }
  for (const pid_t pid : gone) remove(pid, changes);
  std::vector<Process> processes;
  for (const pid_t pid : pids) {
    auto process = reader_(pid, "/proc");
    if (!process) continue;
    const auto more = look_at(*process);
    changes.insert(changes.end(), more.begin(), more.end());
    processes.push_back(std::move(*process));
  }
  adopt(processes, changes);
  return changes;
}

void Tracker::adopt(const std::vector<Process>& processes, std::vector<Change>& changes) {
  for (bool again = true; again;) {  // grandchildren too, in whatever order the pids come
    again = false;
    for (const Process& process : processes) {
      const auto parent = members_.find(process.parent);
      if (parent == members_.end() || members_.contains(process.pid) || process.kernel_thread())
        continue;
      const auto target = targets_.find(parent->second.slot);
      if (target == targets_.end() || !target->second.follow_forks || process.pid == getpid())
        continue;
      add({process, parent->second.slot, true}, changes);
      again = true;
    }
  }
}

std::vector<Change> Tracker::on_exec(pid_t pid) {
  std::vector<Change> changes;
  const auto known = members_.find(pid);
  const bool was_child = known != members_.end() && known->second.by_fork;
  const uint32_t old_slot = known != members_.end() ? known->second.slot : 0;
  remove(pid, changes);
  const auto process = reader_(pid, "/proc");
  if (!process) return changes;
  uint32_t slot = slot_for(*process);
  // Once a child, always a child, unless another target asks for it by name.
  const bool by_fork = was_child && targets_.contains(old_slot) && (slot == 0 || slot == old_slot);
  if (by_fork) slot = old_slot;
  if (slot != 0) add({*process, slot, by_fork}, changes);
  return changes;
}

std::vector<Change> Tracker::on_fork(pid_t child, uint32_t slot) {
  std::vector<Change> changes;
  if (!targets_.contains(slot)) return changes;
  const auto process = reader_(child, "/proc");
  if (!process) return changes;  // gone already
  const auto known = members_.find(child);
  if (known != members_.end()) {
    Member& member = known->second;
    if (member.process.start_time == process->start_time) {
      member.by_fork = member.by_fork || member.slot == slot;  // a scan has found it first
      version_++;
      return changes;
    }
    remove(child, changes);  // the pid of a dead member, whose end was not told
  }
  add({*process, slot, true}, changes);
  return changes;
}

std::vector<Change> Tracker::on_exit(pid_t pid) {
  std::vector<Change> changes;
  remove(pid, changes);
  return changes;
}

const config::Target* Tracker::target(uint32_t slot) const {
  const auto found = targets_.find(slot);
  return found == targets_.end() ? nullptr : &found->second;
}

std::vector<uint32_t> Tracker::slots() const {
  std::vector<uint32_t> result;
  for (const auto& [slot, target] : targets_) result.push_back(slot);
  return result;
}

}  // namespace nz::targets
