#include "userspace/observe/observer.h"

#include <fnmatch.h>
#include <malloc.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>

#include "userspace/base/closing.h"

namespace nz::observe {
namespace {

// The kernel itself takes in whoever executes this command: the target's one condition is a plain
// name. Of several targets userspace alone decides which a process belongs to.
void tell_exec_comm(nz_control& control, const targets::Tracker& tracker) {
  control.exec_slot = 0;
  const auto slots = tracker.slots();
  if (slots.size() != 1) return;
  const config::Match& match = tracker.target(slots.front())->match;
  config::Match by_comm;
  by_comm.comm = match.comm;
  if (match != by_comm || match.comm.empty() || match.comm.size() >= sizeof(control.exec_comm) ||
      match.comm.find_first_of("*?[\\") != std::string::npos)
    return;
  std::memset(control.exec_comm, 0, sizeof(control.exec_comm));
  std::memcpy(control.exec_comm, match.comm.data(), match.comm.size());
  control.exec_slot = slots.front();
}

}  // namespace

Observer::Observer(std::unique_ptr<loader::Object> object)
    : object_(std::move(object)),
      drain_(*object_),
      env_(std::make_unique<probes::Env>(probes::Env{*object_, drain_, tracker_})),
      probes_(probes::make_all(*env_)) {}

Result<std::unique_ptr<Observer>> Observer::open(std::unique_ptr<loader::Object> object,
                                                 Guard& guard) {
  std::unique_ptr<Observer> observer(new Observer(std::move(object)));
  auto events = loader::Events::open(
      *observer->object_,
      [self = observer.get(), &guard](const nz_event& e, std::span<const std::byte> bytes) {
        guard.run("an event", [&] { self->on_event(e, bytes); });
      });
  if (!events) return tl::unexpected(events.error());
  observer->events_ = std::move(*events);
  return observer;
}

void Observer::configure(const std::vector<config::Target>& targets,
                         const std::vector<std::string>& changed) {
  apply(tracker_.configure(targets));
  for (const std::string& name : tracker_.without_slot()) {
    spdlog::error("target {} is not observed: reloads have used up all {} slots; restart the agent",
                  name, NZ_MAX_TARGETS);
  }
  nz_control& control = object_->control();
  for (uint32_t slot = 1; slot < NZ_SLOTS; slot++) {
    const config::Target* target = tracker_.target(slot);
    control.follow_forks[slot] = target != nullptr && target->follow_forks ? 1 : 0;
  }
  tell_exec_comm(control, tracker_);
  // A renamed target's processes come back under their new name: not beside the old links.
  ClosingTogether::wait_for_background();
  for (const auto& [pid, member] : tracker_.members()) {
    const bool other_probes =
        std::find(changed.begin(), changed.end(), env_->target_name(member.slot)) != changed.end();
    if (!other_probes || stopped_) continue;
    detach(pid, true);
    join(member);
  }
}

void Observer::start() {
  std::vector<targets::Member> waiting;  // known, and without probes
  for (const auto& [pid, member] : tracker_.members()) {
    if (stopped_) waiting.push_back(member);
  }
  stopped_ = false;
  for (const auto& probe : probes_) probe->start();
  // After start(): whoever began meanwhile has been announced by an event or is found here.
  scan();
  for (const targets::Member& member : waiting) {
    if (tracker_.members().contains(member.process.pid)) join(member);
  }
}

void Observer::stop() {
  const ClosingTogether together(ClosingTogether::Wait::until_closed);
  for (const auto& probe : probes_) probe->stop();
  stopped_ = true;
}

void Observer::tick() {
  execs_this_tick_ = 0;
  drain_.flip();
  if (!stopped_) {
    for (const auto& probe : probes_) probe->tick();
  }
  // A scan costs a read of every process: rarely, or when events were lost.
  const uint64_t ring_drops = drain_.counters().drops[NZ_DROP_RING_FULL];
  const bool due = Clock::now() - last_scan_ > std::chrono::seconds(10);
  if (!tracker_.slots().empty() && (scan_soon_ || ring_drops != ring_drops_ || due)) {
    ring_drops_ = ring_drops;
    scan_soon_ = false;
    scan();
  }
  // Symbol tables are large, and glibc keeps what it was given back: the agent's memory is
  // promised.
  if (trim_soon_) malloc_trim(0);
  trim_soon_ = false;
}

std::vector<uint32_t> Observer::observed_slots() const {
  std::vector<uint32_t> slots;
  for (const uint32_t slot : tracker_.slots()) {
    const bool alive = std::any_of(tracker_.members().begin(), tracker_.members().end(),
                                   [slot](const auto& entry) { return entry.second.slot == slot; });
    if (alive) slots.push_back(slot);
  }
  return slots;
}

// ---- who belongs to a target
// -------------------------------------------------------------------------

void Observer::apply(const std::vector<targets::Change>& changes) {
  std::vector<pid_t> ended;
  for (const targets::Change& change : changes) {
    const targets::Member& member = change.member;
    const pid_t pid = member.process.pid;
    if (change.kind == targets::Change::Kind::removed) {
      // After an exec it comes back in the same breath: a gap would lose its time and its children.
      const bool stays = std::any_of(changes.begin(), changes.end(), [pid](const auto& c) {
        return c.kind == targets::Change::Kind::added && c.member.process.pid == pid;
      });
      leave(member, stays);
      continue;
    }
    auto known = object_->set_target(static_cast<uint32_t>(pid), member.slot);
    if (!known) spdlog::warn("{}", known.error().text());
    spdlog::info("process {} ({}) belongs to target {}{}", pid, member.process.comm,
                 env_->target_name(member.slot), member.by_fork ? " by fork" : "");
    if (targets::has_ended(member.process)) {
      ended.push_back(pid);  // before the kernel knew it as a target: no event will tell
    } else if (!stopped_) {
      join(member);
    }
  }
  for (const pid_t pid : ended) apply(tracker_.on_exit(pid));
}

void Observer::join(const targets::Member& member) {
  for (const auto& probe : probes_) probe->attach(member);
  trim_soon_ = true;
}

void Observer::leave(const targets::Member& member, bool stays) {
  detach(member.process.pid, stays);
  if (!stays) object_->remove_target(static_cast<uint32_t>(member.process.pid));
  spdlog::info("process {} ({}) has left target {}", member.process.pid, member.process.comm,
               env_->target_name(member.slot));
}

// `stays`: it is attached again at once, and two links at one address would count twice. Else
// nobody has to wait for the kernel.
void Observer::detach(pid_t pid, bool stays) {
  const ClosingTogether together(stays ? ClosingTogether::Wait::until_closed
                                       : ClosingTogether::Wait::in_background);
  for (const auto& probe : probes_) probe->detach(pid);
}

void Observer::scan() {
  last_scan_ = Clock::now();
  apply(tracker_.scan(targets::list_processes()));
  adopt_followed();
}

// Children that the kernel followed and whose event was lost; entries of dead processes go.
void Observer::adopt_followed() {
  for (const auto& [tgid, slot] : object_->targets()) {
    const auto pid = static_cast<pid_t>(tgid);
    if (tracker_.members().contains(pid)) continue;
    const auto changes = tracker_.on_fork(pid, slot);
    if (changes.empty()) object_->remove_target(tgid);
    apply(changes);
  }
}

// ---- events
// ----------------------------------------------------------------------------------------------

void Observer::on_event(const nz_event& event, std::span<const std::byte> bytes) {
  const auto pid = static_cast<pid_t>(event.tgid);
  switch (event.kind) {
    case NZ_EVENT_EXEC:
      on_exec(event);
      break;
    case NZ_EVENT_FORK:
      apply(tracker_.on_fork(pid, event.slot));
      break;
    case NZ_EVENT_EXIT:
      apply(tracker_.on_exit(pid));
      break;
    default:
      for (const auto& probe : probes_) probe->on_event(event, bytes);
      if (listener_) listener_(event, bytes);
  }
}

void Observer::on_exec(const nz_event& event) {
  const auto pid = static_cast<pid_t>(event.tgid);
  const bool fresh = !tracker_.members().contains(pid);
  if (fresh) {
    if (!may_match(event.comm)) return;
    // A fork storm must not cost more than this: the next scan finds what is skipped here.
    if (++execs_this_tick_ > 200) {
      execs_skipped_++;
      scan_soon_ = true;
      return;
    }
  }
  apply(tracker_.on_exec(pid));
  // It may have forked before the kernel knew it as a target: the next scan adopts those children.
  if (fresh && tracker_.members().contains(pid)) scan_soon_ = true;
}

bool Observer::may_match(const char* comm) const {
  const auto slots = tracker_.slots();
  return std::any_of(slots.begin(), slots.end(), [&](uint32_t slot) {
    const std::string& pattern = tracker_.target(slot)->match.comm;
    return pattern.empty() || fnmatch(pattern.c_str(), comm, 0) == 0;
  });
}

}  // namespace nz::observe
