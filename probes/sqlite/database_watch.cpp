#include "probes/sqlite/database_watch.h"

#include <algorithm>
#include <set>
#include <utility>

#include "userspace/resources/block_devices.h"

namespace nz::probes {
namespace {

using metrics::Family;
using metrics::Labels;
using metrics::Type;

}  // namespace

void DatabaseWatch::find(const std::map<uint32_t, std::vector<pid_t>>& pids) {
  databases_.clear();
  for (const auto& [slot, members] : pids) {
    constexpr size_t kProcesses = 64;
    size_t known = 0;
    for (size_t i = 0; i < std::min(members.size(), kProcesses) && known < kDatabases; i++) {
      for (advice::OpenDatabase& d : advice::databases_of(members[i], kDatabases)) {
        if (known >= kDatabases) break;
        const auto [at, fresh] = databases_.try_emplace(Key{slot, d.shown});
        if (!fresh) continue;
        known++;
        at->second.device = resources::whole_device(paths_, d.file.device);
        at->second.database = std::move(d);
      }
    }
  }
}

void DatabaseWatch::tick(const std::map<uint32_t, std::vector<pid_t>>& pids,
                         Clock::time_point now) {
  if (databases_.empty() || now - last_find_ >= kFindEvery) {
    last_find_ = now;
    find(pids);
  }
  const auto locks = databases_.empty() ? std::vector<advice::FileLock>{} : advice::all_locks();
  for (const auto& [key, found] : databases_) {
    size_t count = 0;
    for (advice::LockHolder& h : advice::lock_holders(found.database, locks)) {
      // Readers come and go: one matters where it keeps a checkpoint from its end.
      if (h.lock == advice::DatabaseLock::read && !h.pins_wal) continue;
      if (++count > kHolders) break;
      const auto members = pids.find(key.first);
      const bool own = members != pids.end() &&
                       std::ranges::find(members->second, h.pid) != members->second.end();
      held_.see(key.first, key.second, std::move(h), own, now);
    }
  }
  held_.end_look(now);
  std::set<Labels> looks;  // several processes of one name are seen once in a look
  for (const auto& [key, held] : held_.all()) looks.insert(labels_of(key, held));
  looks_.add(looks, now);
}

Labels DatabaseWatch::labels_of(const HeldLocks::Key& key, const HeldLocks::Held& held) const {
  return {{"target", env_.target_name(std::get<0>(key))},
          {"database", std::get<1>(key)},
          {"lock", advice::name_of(held.holder.lock)},
          {"comm", held.holder.comm}};
}

std::map<std::string, advice::JournalState> DatabaseWatch::journals(
    const std::string& target) const {
  std::map<std::string, advice::JournalState> states;
  for (const auto& [key, found] : databases_) {
    if (env_.target_name(key.first) != target) continue;
    auto state = advice::journal_state_of(found.database);
    if (!state) continue;
    if (const HeldLocks::Held* pin = held_.longest_pin(key.first, key.second)) {
      state->pinned_by = pin->holder.comm + " (pid " + std::to_string(pin->holder.pid) + ")";
    }
    states.emplace(key.second, std::move(*state));
  }
  return states;
}

void DatabaseWatch::collect(std::vector<Family>& out) const {
  Family bytes{"nearzero_sqlite_database_bytes",
               "Size of a target's database file, of its write-ahead log and of that one's index.",
               Type::gauge,
               {}};
  Family devices{"nearzero_sqlite_database_device",
                 "1: the disk that a target's database file lies on; none where its file system is "
                 "on no disk of this host, or has a number of its own.",
                 Type::gauge,
                 {}};
  Family frames{"nearzero_sqlite_wal_frames",
                "Pages in the write-ahead log: written, and of those checkpointed. The difference "
                "is the checkpoint's lag.",
                Type::gauge,
                {}};
  Family held{"nearzero_sqlite_lock_held_seconds",
              "How long a process has been seen with a lock each time that was looked: write (one "
              "holder; others wait), checkpoint, recover, or a read that pins the write-ahead log.",
              Type::gauge,
              {}};
  for (const auto& [key, found] : databases_) {
    const Labels labels{{"target", env_.target_name(key.first)}, {"database", key.second}};
    const auto with = [&](const char* name, const char* value) {
      Labels more = labels;
      more.emplace_back(name, value);
      return more;
    };
    const auto sizes = advice::sizes_of(found.database.path);
    for (const auto& [kind, size] :
         {std::pair{"main", sizes.main}, std::pair{"wal", sizes.wal}, std::pair{"shm", sizes.shm}})
      bytes.samples.push_back({with("kind", kind), static_cast<double>(size), nullptr});
    if (!found.device.empty())
      devices.samples.push_back({with("device", found.device.c_str()), 1, nullptr});
    if (const auto wal = advice::wal_state_of(found.database.path)) {
      frames.samples.push_back(
          {with("state", "written"), static_cast<double>(wal->frames), nullptr});
      frames.samples.push_back({with("state", "checkpointed"),
                                static_cast<double>(std::min(wal->checkpointed, wal->frames)),
                                nullptr});
    }
  }
  Family own{"nearzero_sqlite_transaction_seconds",
             "How long a target itself has been seen in one transaction, with the write lock or "
             "with a read that pins the write-ahead log.",
             Type::gauge,
             {}};
  // One sample for each command: the longest.
  std::map<Labels, double> longest, longest_own;
  for (const auto& [key, h] : held_.all()) {
    const double seconds = h.seconds();
    double& most = longest[labels_of(key, h)];
    most = std::max(most, seconds);
    if (!h.is_own_transaction()) continue;
    Labels labels = labels_of(key, h);
    labels.pop_back();  // comm: it is the target
    double& most_own = longest_own[labels];
    most_own = std::max(most_own, seconds);
  }
  for (const auto& [labels, seconds] : longest) held.samples.push_back({labels, seconds, nullptr});
  for (const auto& [labels, seconds] : longest_own)
    own.samples.push_back({labels, seconds, nullptr});
  Family seen{"nearzero_sqlite_lock_seen_total",
              "Looks, one each drain interval, in which a process had a lock of a database.",
              Type::counter, looks_.samples()};
  for (Family* f : {&bytes, &devices, &frames, &held, &own, &seen}) out.push_back(std::move(*f));
}

}  // namespace nz::probes
