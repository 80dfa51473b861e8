#include "userspace/resources/processes.h"

#include <unistd.h>

#include <algorithm>

namespace nz::resources {
namespace {

// Limits, swap, cgroup, and open files on old kernels: every so many collections.
constexpr uint64_t kRare = 5;
constexpr int kAwaited = 2;
// A process may be found this much after its start (by a scan) and still counts from zero.
constexpr uint64_t kFoundLateSeconds = 3;
// Who has left is read on until it is gone: exiting takes a while, and a zombie's figures are its
// last. But not who lives on elsewhere, nor zombies that nobody will ever wait for.
constexpr uint64_t kLeftAlive = 5;
constexpr uint64_t kLeftZombie = 600;
constexpr int kMostGenerations = 32;

uint64_t growth(uint64_t now, uint64_t before) { return now > before ? now - before : 0; }

// What of `grown` is not in the totals yet.
uint64_t settle(uint64_t grown, uint64_t& awaited) {
  const uint64_t known = std::min(grown, awaited);
  awaited -= known;
  return grown - known;
}

template <size_t N>
void add(std::array<uint64_t, N>& to, const std::array<uint64_t, N>& more) {
  for (size_t i = 0; i < N; i++) to[i] += more[i];
}

}  // namespace

Processes::Totals Processes::totals(const std::string& target) const {
  const auto found = totals_.find(target);
  return found == totals_.end() ? Totals{} : found->second;
}

void Processes::collect(Context& context, const std::vector<TargetProcesses>& targets, uint64_t now,
                        bool swap) {
  round_++;
  list(targets, now);
  const std::vector<pid_t> pids = due();
  end(read(context, pids, swap));
  for (const pid_t pid : pids) {
    const auto found = followed_.find(pid);
    if (found != followed_.end() && found->second.read_in == round_) count(found->second);
  }
}

void Processes::list(const std::vector<TargetProcesses>& targets, uint64_t now) {
  static const auto kHz = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  for (auto& [pid, followed] : followed_) followed.left_for++;
  std::vector<pid_t> reused;
  std::map<pid_t, Followed> fresh;
  for (const TargetProcesses& target : targets) {
    for (const auto& [pid, start_time] : target.processes) {
      const auto known = followed_.find(pid);
      if (known != followed_.end() && known->second.start_time == start_time) {
        known->second.left_for = 0;
        known->second.target = target.name;  // from now on
        known->second.follow_forks = target.follow_forks;
        continue;
      }
      if (known != followed_.end()) reused.push_back(pid);
      const bool count_all = round_ > 1 && start_time + kFoundLateSeconds * kHz >= listed_at_;
      fresh.try_emplace(pid, Followed{Process(proc_, pid), start_time, target.name,
                                      target.follow_forks, count_all});
    }
  }
  end(reused);
  followed_.merge(fresh);
  listed_at_ = now;
}

// Parents before their children: what a parent has waited for is then not younger than what is
// known of its child's end.
std::vector<pid_t> Processes::due() const {
  std::vector<pid_t> pids;
  for (const auto& [pid, followed] : followed_) pids.push_back(pid);
  if (pids.size() > kReadAtOnce) {
    std::nth_element(pids.begin(), pids.begin() + kReadAtOnce, pids.end(), [&](pid_t a, pid_t b) {
      return followed_.at(a).read_in < followed_.at(b).read_in;
    });
    pids.resize(kReadAtOnce);
  }
  std::sort(pids.begin(), pids.end(), [&](pid_t a, pid_t b) {
    return std::pair(followed_.at(a).start_time, a) < std::pair(followed_.at(b).start_time, b);
  });
  return pids;
}

// Returns those that have ended.
std::vector<pid_t> Processes::read(Context& context, const std::vector<pid_t>& pids, bool swap) {
  std::vector<pid_t> ended;
  const bool keep_open = followed_.size() <= kKeptOpen;
  for (const pid_t pid : pids) {
    Followed& followed = followed_.at(pid);
    Process& process = followed.process;
    if (!process.read(context, followed.start_time, keep_open)) {
      ended.push_back(pid);
      continue;
    }
    followed.read_in = round_;
    if (followed.left_for > (process.usage().ended ? kLeftZombie : kLeftAlive)) {
      ended.push_back(pid);
    } else if (followed.left_for == 0 && !process.usage().ended) {
      const bool rare = followed.is_new || (round_ + static_cast<uint64_t>(pid)) % kRare == 0;
      if (rare) process.read_rare(context, swap);
      process.count_open_files(context, rare);
    }
  }
  return ended;
}

void Processes::end(const std::vector<pid_t>& ended) {
  std::map<pid_t, Followed> gone;
  for (const pid_t pid : ended) gone.insert(followed_.extract(pid));
  for (const auto& [pid, process] : gone) {
    // What it used comes again through whoever waits for it: its parent, or that one's, if the
    // parent has ended as well.
    pid_t heir = process.counted.parent;
    for (int i = 0; i < kMostGenerations && gone.contains(heir); i++)
      heir = gone.at(heir).counted.parent;
    const auto found = followed_.find(heir);
    if (found == followed_.end()) continue;
    Followed& parent = found->second;
    add(parent.awaited.usage, process.counted.own);
    add(parent.awaited.usage, process.counted.children);
    add(parent.awaited.usage, process.awaited.usage);
    add(parent.awaited.io, process.counted.io);
    add(parent.awaited.io, process.awaited.io);
    parent.awaited_for = 0;
  }
}

void Processes::count(Followed& followed) {
  const Usage& now = followed.process.usage();
  if (followed.is_new && !followed.count_all) followed.counted = now;
  followed.is_new = false;
  const Usage& before = followed.counted;
  const bool waited = now.children[Usage::minor] > before.children[Usage::minor];
  Totals& totals = totals_[followed.target];
  for (size_t i = 0; i < Usage::kFields; i++) {
    uint64_t grown = growth(now.children[i], before.children[i]);
    if (waited) grown = settle(grown, followed.awaited.usage[i]);
    totals.usage[i] += growth(now.own[i], before.own[i]) + (followed.follow_forks ? grown : 0);
  }
  for (size_t i = 0; i < now.io.size(); i++) {
    const uint64_t grown = growth(now.io[i], before.io[i]);
    totals.io[i] += waited ? settle(grown, followed.awaited.io[i]) : grown;
  }
  followed.counted = now;
  if (++followed.awaited_for > kAwaited) followed.awaited = {};
}

}  // namespace nz::resources
