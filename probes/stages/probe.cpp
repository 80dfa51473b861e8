// Stages of the order path: attaches what plan.cpp chose, for each process of each target.
#include "probes/probe.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <memory>
#include <set>

#include "probes/stages/attached.h"
#include "probes/stages/components.h"
#include "probes/stages/families.h"
#include "probes/stages/ids.h"
#include "probes/stages/plan.h"
#include "probes/stages/site_table.h"
#include "probes/stages/stage_file.h"
#include "userspace/targets/process.h"

namespace nz::probes {
namespace {

class Stages final : public Probe {
 public:
  explicit Stages(const Env& env)
      : Probe(env),
        ids_(env.object.layout().max_stages),
        sites_(env_, ids_),
        stats_(env.object.array<nz_stage_stats>("nz_stages")) {}

  [[nodiscard]] std::string name() const override { return "stages"; }

  void attach(const targets::Member& member) override {
    const config::Target* target = env_.tracker.target(member.slot);
    if (target == nullptr || target->stages.empty() || tripped_.contains(member.slot)) return;
    if (attached_.contains(member.process.pid)) return;
    ids_.configure(target->name, target->stages);
    StagesAttached& attached = attached_[member.process.pid];
    attached.member = member;
    std::vector<const config::Stage*> stages;
    for (const config::Stage& stage : target->stages) stages.push_back(&stage);
    attach_stages(*target, stages, attached);
  }

  void detach(pid_t pid) override {
    auto attached = attached_.extract(pid);
    if (attached.empty()) return;
    silence(attached.mapped());
    attached.mapped().links.clear();  // closing a link waits until no program of it runs
    for (const auto& [number, site] : attached.mapped().sites) {
      if (!in_use(number)) sites_.release(number);
    }
  }

  void stop() override {
    while (!attached_.empty()) detach(attached_.begin()->first);
    tripped_.clear();
    winding_.clear();
    paused_.clear();
  }

  // Libraries are mapped after exec, by the dynamic linker or by dlopen.
  void tick() override {
    for (auto& [pid, attached] : attached_) {
      if (attached.not_mapped.empty() || tripped_.contains(attached.member.slot)) continue;
      const config::Target* target = env_.tracker.target(attached.member.slot);
      if (target == nullptr) continue;
      std::vector<const config::Stage*> stages;
      for (const config::Stage& stage : target->stages) {
        if (attached.not_mapped.contains(stage.name) && file_of_stage(pid, stage))
          stages.push_back(&stage);
      }
      if (stages.empty()) continue;
      for (const config::Stage* stage : stages) {
        attached.not_mapped.erase(stage->name);
        std::erase_if(attached.status,
                      [&](const Status& s) { return s.probe == "stages:" + stage->name; });
      }
      attach_stages(*target, stages, attached);
      for (const Status& s : attached.status) {
        const bool fresh = std::any_of(
            stages.begin(), stages.end(),
            [&](const config::Stage* stage) { return s.probe == "stages:" + stage->name; });
        if (fresh) {
          spdlog::log(s.attached ? spdlog::level::info : spdlog::level::warn,
                      "{} for {} pid {}: {}", s.probe, s.target, s.pid, s.text);
        }
      }
    }
  }

  [[nodiscard]] bool has_duty_cycle() const override { return true; }
  void wind_down(uint32_t slot) override {
    winding_.insert(slot);
    for (const auto& [number, site] : sites_of(slot)) sites_.write(number, winding_down(site));
  }
  [[nodiscard]] bool wound_down(uint32_t slot) const override;
  void pause(uint32_t slot) override {
    winding_.erase(slot);
    paused_.insert(slot);
    for (const auto& [number, site] : sites_of(slot)) sites_.write(number, {});
    for (auto& [pid, attached] : attached_) {
      if (attached.member.slot == slot) attached.links.clear();
    }
  }
  void resume(uint32_t slot) override;

  void trip(uint32_t slot) override {
    tripped_.emplace(slot, true);
    winding_.erase(slot);
    paused_.erase(slot);
    for (auto& [pid, attached] : attached_) {
      if (attached.member.slot != slot) continue;
      for (const auto& [number, site] : attached.sites) sites_.write(number, {});
      attached.wires.clear();
      attached.links.clear();
      for (Status& s : attached.status) {
        s.attached = false;
        s.text = "tripped: over budget; was " + s.text;
      }
    }
  }

  void collect(std::vector<metrics::Family>& out) const override {
    collect_stages(env_, ids_, stats_, components_, out);
  }

  [[nodiscard]] std::vector<Cost> costs() const override { return sites_.costs(); }

  [[nodiscard]] std::vector<Status> status() const override {
    std::vector<Status> result;
    for (const auto& [pid, attached] : attached_) {
      for (Status row : attached.status) {
        if (row.attached && !attached.not_resumed.empty()) {
          row.attached = false;
          row.text =
              "not attached again after a pause, tried anew every period: " + attached.not_resumed +
              "; " + row.text;
        }
        result.push_back(std::move(row));
      }
    }
    return result;
  }

 private:
  static Status row(const config::Target& target, const config::Stage& stage, pid_t pid, bool on,
                    std::string text) {
    return {"stages:" + stage.name, target.name, pid, on, std::move(text)};
  }

  void attach_stages(const config::Target& target, const std::vector<const config::Stage*>& stages,
                     StagesAttached& attached);
  void attach_file(const config::Target& target, const std::string& file,
                   const std::vector<const config::Stage*>& stages, StagesAttached& attached);
  Result<void> attach_sites(const std::string& file, const sites::Binary& binary,
                            const std::vector<PlannedSite>& planned, StagesAttached& attached);
  void link_again(pid_t pid, StagesAttached& attached);
  Result<std::vector<Fd>> link(const std::vector<StageWire>& wires, pid_t pid);
  [[nodiscard]] std::map<uint32_t, nz_site> sites_of(uint32_t slot) const;
  [[nodiscard]] bool in_use(uint32_t number) const;
  void silence(const StagesAttached& attached);

  StageIds ids_;
  SiteTable sites_;
  std::span<const nz_stage_stats> stats_;
  mutable Components components_;
  sites::KernelTraits kernel_ = sites::detect();
  std::map<pid_t, StagesAttached> attached_;
  std::map<uint32_t, bool> tripped_;
  std::set<uint32_t> winding_, paused_;
};

// Stages of one file are planned together: they share addresses.
void Stages::attach_stages(const config::Target& target,
                           const std::vector<const config::Stage*>& stages,
                           StagesAttached& attached) {
  const pid_t pid = attached.member.process.pid;
  std::map<std::string, std::vector<const config::Stage*>> by_file;
  for (const config::Stage* stage : stages) {
    auto file = file_of_stage(pid, *stage);
    if (file) {
      by_file[*file].push_back(stage);
    } else {
      attached.not_mapped.insert(stage->name);
      attached.status.push_back(row(target, *stage, pid, false, file.error().text()));
    }
  }
  for (const auto& [file, list] : by_file) attach_file(target, file, list, attached);
}

bool Stages::in_use(uint32_t number) const {
  return std::any_of(attached_.begin(), attached_.end(),
                     [&](const auto& entry) { return entry.second.sites.contains(number); });
}

// Several links come and go one after the other, each within milliseconds. Meanwhile their sites
// have no actions, or a busy stage would count thousands of ends without a start.
void Stages::silence(const StagesAttached& attached) {
  for (const auto& [number, site] : attached.sites) {
    if (!in_use(number)) sites_.write(number, {});
  }
}

void Stages::attach_file(const config::Target& target, const std::string& file,
                         const std::vector<const config::Stage*>& stages,
                         StagesAttached& attached) {
  const targets::Process& process = attached.member.process;
  const pid_t pid = process.pid;
  auto binary = sites::Binary::open(file);
  const bool shadow_stack = sites::user_shadow_stack_active(pid);
  std::vector<StagePlan> plans;
  const size_t first = attached.status.size();
  for (const config::Stage* stage : stages) {
    if (!binary) {
      attached.status.push_back(
          row(target, *stage, pid, false, with_real_path(binary.error().text(), file, process)));
      continue;
    }
    const auto id = ids_.stage(target.name, *stage);
    if (!id) {
      attached.status.push_back(row(target, *stage, pid, false, id.error().text()));
      continue;
    }
    (*env_.stage_names)[id->stage] = stage->name;
    auto plan = plan_stage(*binary, *stage, *id, shadow_stack, kernel_);
    attached.status.push_back(
        row(target, *stage, pid, plan.has_value(),
            with_real_path(plan ? plan->text : plan.error().text(), file, process)));
    if (plan) plans.push_back(std::move(*plan));
  }
  if (plans.empty()) return;
  auto merged = merge(plans);
  const Result<void> done =
      merged ? attach_sites(file, *binary, *merged, attached) : tl::unexpected(merged.error());
  if (done) return;
  for (size_t i = first; i < attached.status.size(); i++) {
    if (!attached.status[i].attached) continue;  // has a reason of its own
    attached.status[i].attached = false;
    attached.status[i].text = with_real_path(done.error().text(), file, process);
  }
}

// All or nothing: half of a stage's addresses would count starts that never end.
Result<std::vector<Fd>> Stages::link(const std::vector<StageWire>& wires, pid_t pid) {
  std::vector<Fd> links;
  for (const StageWire& wire : wires) {
    auto link = env_.object.attach_uprobes(
        wire.program, "/proc/self/fd/" + std::to_string(wire.file->get()), pid, wire.sites);
    if (!link) {
      links.clear();
      return tl::unexpected(link.error());
    }
    links.insert(links.begin(), std::move(*link));
  }
  return links;
}

Result<void> Stages::attach_sites(const std::string& file, const sites::Binary& binary,
                                  const std::vector<PlannedSite>& planned,
                                  StagesAttached& attached) {
  const uint32_t slot = attached.member.slot;
  const pid_t pid = attached.member.process.pid;
  const bool in_executable = file == targets::openable_executable(pid);
  const auto held = std::make_shared<Fd>(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (held->get() < 0) return fail_errno("open " + file, errno, "the process may have ended");
  StageWire entries{"nz_stage_hit", held, {}};
  StageWire returns{"nz_stage_return", held, {}};
  std::map<uint32_t, nz_site> numbered;
  const auto number_all = [&]() -> Result<void> {
    for (const PlannedSite& site : planned) {
      SiteKey key{slot, binary.device(), binary.inode(), site.offset, false};
      auto number = ids_.site(key, site.returns, site.stepped);
      if (!number) return tl::unexpected(number.error());
      numbered[*number] = site_with(site.actions, site.sp_displacement, in_executable);
      entries.sites.push_back({site.offset, *number});
      if (!site.returns) continue;
      key.is_return = true;
      auto back = ids_.site(key, true, site.stepped);
      if (!back) return tl::unexpected(back.error());
      numbered[*back] = site_with(site.return_actions, 0, in_executable);
      returns.sites.push_back({site.offset, *back});
    }
    return {};
  };
  // Returns first: an entry without its return would stand open until the frame is found stale.
  std::vector<StageWire> wires;
  Result<std::vector<Fd>> links;
  if (auto done = number_all(); !done) {
    links = tl::unexpected(done.error());
  } else {
    if (!returns.sites.empty()) wires.push_back(std::move(returns));
    wires.push_back(std::move(entries));
    if (!paused_.contains(slot)) links = link(wires, pid);
  }
  if (!links) {
    for (const auto& [number, site] : numbered) {
      if (!in_use(number)) sites_.release(number);
    }
    return tl::unexpected(links.error());
  }
  if (!paused_.contains(slot)) {
    for (const auto& [number, site] : numbered)
      sites_.write(number, winding_.contains(slot) ? winding_down(site) : site);
  }
  std::move(wires.begin(), wires.end(), std::back_inserter(attached.wires));
  std::move(links->begin(), links->end(), std::back_inserter(attached.links));
  attached.sites.merge(numbered);
  return {};
}

std::map<uint32_t, nz_site> Stages::sites_of(uint32_t slot) const {
  std::map<uint32_t, nz_site> result;
  for (const auto& [pid, attached] : attached_) {
    if (attached.member.slot == slot) result.insert(attached.sites.begin(), attached.sites.end());
  }
  return result;
}

bool Stages::wound_down(uint32_t slot) const {
  const config::Target* target = env_.tracker.target(slot);
  const auto& stages = ids_.stages();
  return std::all_of(stages.begin(), stages.end(), [&](const auto& entry) {
    if (target == nullptr || entry.first.target != target->name) return true;
    const auto completed = env_.drain.count(env_.drain.layout().stage_base() + entry.second);
    return stages_in_flight(stage_stats(env_, stats_, entry.second), completed) == 0;
  });
}

void Stages::resume(uint32_t slot) {
  winding_.erase(slot);
  if (paused_.erase(slot) != 0) {
    env_.object.control().cut_slot = slot;
    env_.object.run("nz_cut_stages");
    for (auto& [pid, attached] : attached_) {
      if (attached.member.slot == slot) link_again(pid, attached);
    }
  }
  for (const auto& [number, site] : sites_of(slot)) sites_.write(number, after_pause(site));
}

void Stages::link_again(pid_t pid, StagesAttached& attached) {
  auto links = link(attached.wires, pid);
  if (links) {
    attached.links = std::move(*links);
    attached.not_resumed.clear();
    return;
  }
  // A process that has ended: the event that says so is on its way.
  if (attached.not_resumed.empty() && links.error().code != ESRCH)
    spdlog::warn("stages of pid {}: not attached after a pause: {}", pid, links.error().text());
  attached.not_resumed = links.error().text();
}

}  // namespace

std::unique_ptr<Probe> make_stages(const Env& env) { return std::make_unique<Stages>(env); }

}  // namespace nz::probes
