// Stages of the order path: attaches what plan.cpp chose, for each process of each target.
#include "probes/probe.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <memory>
#include <set>

#include "probes/stages/components.h"
#include "probes/stages/ids.h"
#include "probes/stages/plan.h"
#include "userspace/base/clock.h"
#include "userspace/targets/process.h"

namespace nz::probes {
namespace {

constexpr std::array<const char*, NZ_COMPONENTS> kComponents = {
    "running", "runnable", "lock",       "idle", "disk",
    "network", "sleep",    "page_fault", "ipc",  "other"};

nz_site site_with(const std::vector<nz_action>& actions, int64_t displacement, bool in_executable) {
  nz_site site{};
  std::copy(actions.begin(), actions.end(), std::begin(site.actions));
  site.sp_displacement = displacement;
  site.in_executable = in_executable ? 1 : 0;
  return site;
}

nz_site winding_down(nz_site site) {
  site.winding_down = 1;
  return site;
}

// What began in a pause may end in this time after it without being counted as without a start.
constexpr uint64_t kQuietNs = 50'000'000;

nz_site after_pause(nz_site site) {
  site.quiet_until = monotonic_ns() + kQuietNs;
  return site;
}

class Stages final : public Probe {
 public:
  explicit Stages(const Env& env)
      : Probe(env),
        ids_(env.object.layout().max_stages),
        sites_(env.object.array<nz_site>("nz_sites")),
        hits_(env.object.array<uint64_t>("nz_site_hits")),
        stats_(env.object.array<nz_stage_stats>("nz_stages")) {}

  [[nodiscard]] std::string name() const override { return "stages"; }

  void attach(const targets::Member& member) override {
    const config::Target* target = env_.tracker.target(member.slot);
    if (target == nullptr || target->stages.empty() || tripped_.contains(member.slot)) return;
    if (attached_.contains(member.process.pid)) return;
    ids_.configure(target->name, target->stages);
    Attached& attached = attached_[member.process.pid];
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
      if (!in_use(number)) release(number);
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
        if (attached.not_mapped.contains(stage.name) && file_of(pid, stage))
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
    for (const auto& [number, site] : sites_of(slot)) write_site(number, winding_down(site));
  }
  [[nodiscard]] bool wound_down(uint32_t slot) const override;
  void pause(uint32_t slot) override {
    winding_.erase(slot);
    paused_.insert(slot);
    for (const auto& [number, site] : sites_of(slot)) write_site(number, {});
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
      for (const auto& [number, site] : attached.sites) write_site(number, {});
      attached.wires.clear();
      attached.links.clear();
      for (Status& s : attached.status) {
        s.attached = false;
        s.text = "tripped: over budget; was " + s.text;
      }
    }
  }

  void collect(std::vector<metrics::Family>& out) const override;

  [[nodiscard]] std::vector<Cost> costs() const override {
    auto hits = released_hits_;
    for (const auto& [number, site] : ids_.sites()) {
      const uint64_t n = site_hits(number);
      // A return has a number of its own: its price is in the entry's.
      if (n == 0 || site.is_return) continue;
      hits[{site.slot, kind_of(site)}] += n;
    }
    std::vector<Cost> result;
    for (const auto& [key, n] : hits) result.push_back({key.first, key.second, n});
    return result;
  }

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
  // What a link is made from. The file is held open: another one may come to stand at its path.
  struct Wire {
    std::string program;
    std::shared_ptr<Fd> file;
    std::vector<loader::UprobeSite> sites;
  };

  struct Attached {
    targets::Member member;
    std::vector<Wire> wires;            // in the order in which they are attached
    std::vector<Fd> links;              // in the order in which they are to be closed
    std::map<uint32_t, nz_site> sites;  // what the links' cookies refer to
    std::set<std::string> not_mapped;   // stages whose library is not there (yet)
    std::vector<Status> status;
    std::string not_resumed;  // why the links are not there although it does not rest
  };

  static HitKind kind_of(const SiteInfo& site) {
    if (site.returns) return site.stepped ? HitKind::with_return_stepped : HitKind::with_return;
    return site.stepped ? HitKind::uprobe_stepped : HitKind::uprobe;
  }

  static Status row(const config::Target& target, const config::Stage& stage, pid_t pid, bool on,
                    std::string text) {
    return {"stages:" + stage.name, target.name, pid, on, std::move(text)};
  }

  // The file that a stage's functions are in, as a path that we can open.
  static Result<std::string> file_of(pid_t pid, const config::Stage& stage) {
    if (stage.binary.empty()) return targets::openable_executable(pid);
    std::error_code ignored;
    const std::string real = stage.binary.starts_with('/')
                                 ? std::filesystem::weakly_canonical(stage.binary, ignored).string()
                                 : std::string{};
    for (const targets::Mapping& m : targets::executable_files(pid)) {
      const std::string file = m.path.substr(m.path.rfind('/') + 1);
      if (m.path == stage.binary || m.path == real || file == stage.binary ||
          file.starts_with(stage.binary + ".")) {
        // One file, one path: stages that name the executable are planned with those that do not.
        const std::string path = targets::openable_path(pid, m);
        const std::string executable = targets::openable_executable(pid);
        return std::filesystem::equivalent(path, executable, ignored) ? executable : path;
      }
    }
    return fail("process " + std::to_string(pid) + " has not mapped '" + stage.binary + "'",
                "see /proc/" + std::to_string(pid) +
                    "/maps for what it has loaded; tried again every drain interval");
  }

  // Users know /opt/orders/gateway, not /proc/4711/exe.
  static std::string with_real_path(std::string text, const std::string& file,
                                    const targets::Process& process) {
    const std::string base = "/proc/" + std::to_string(process.pid);
    const std::string shown = file == base + "/exe" ? process.exe : file;
    for (size_t at = text.find(file); at != std::string::npos && shown != file;
         at = text.find(file, at + shown.size())) {
      text.replace(at, file.size(), shown);
    }
    return text;
  }

  void attach_stages(const config::Target& target, const std::vector<const config::Stage*>& stages,
                     Attached& attached);
  void attach_file(const config::Target& target, const std::string& file,
                   const std::vector<const config::Stage*>& stages, Attached& attached);
  Result<void> attach_sites(const std::string& file, const sites::Binary& binary,
                            const std::vector<PlannedSite>& planned, Attached& attached);
  // Of one reading of the counts, so that they add up in one export.
  static uint64_t in_flight(const nz_stage_stats& s, uint64_t completed) {
    const uint64_t ended = completed + s.restarted + s.unwound + s.died + s.cut + s.too_deep;
    return s.started > ended ? s.started - ended : 0;
  }
  [[nodiscard]] nz_stage_stats stats_of(uint32_t stage) const {
    return env_.drain.sum<nz_stage_stats>(stats_, env_.drain.layout().max_stages, stage);
  }
  void link_again(pid_t pid, Attached& attached);
  Result<std::vector<Fd>> link(const std::vector<Wire>& wires, pid_t pid);
  [[nodiscard]] std::map<uint32_t, nz_site> sites_of(uint32_t slot) const;
  [[nodiscard]] bool in_use(uint32_t number) const;
  void silence(const Attached& attached);
  void release(uint32_t number);
  void write_site(uint32_t number, const nz_site& site);
  [[nodiscard]] uint64_t site_hits(uint32_t number) const {
    return env_.drain.sum<uint64_t>({hits_.data(), hits_.size()}, NZ_MAX_SITES, number);
  }

  StageIds ids_;
  std::span<nz_site> sites_;
  std::span<uint64_t> hits_;
  std::span<const nz_stage_stats> stats_;
  mutable Components components_;
  sites::KernelTraits kernel_ = sites::detect();
  std::map<pid_t, Attached> attached_;
  std::map<uint32_t, bool> tripped_;
  std::set<uint32_t> winding_, paused_;
  std::map<std::pair<uint32_t, HitKind>, uint64_t> released_hits_;  // of sites given back
};

// Stages of one file are planned together: they share addresses.
void Stages::attach_stages(const config::Target& target,
                           const std::vector<const config::Stage*>& stages, Attached& attached) {
  const pid_t pid = attached.member.process.pid;
  std::map<std::string, std::vector<const config::Stage*>> by_file;
  for (const config::Stage* stage : stages) {
    auto file = file_of(pid, *stage);
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
void Stages::silence(const Attached& attached) {
  for (const auto& [number, site] : attached.sites) {
    if (!in_use(number)) write_site(number, {});
  }
}

// Its hits so far are kept in the account, and the next owner starts from zero.
void Stages::release(uint32_t number) {
  const auto info = ids_.sites().find(number);
  if (info == ids_.sites().end()) return;
  if (!info->second.is_return) {
    released_hits_[{info->second.slot, kind_of(info->second)}] += site_hits(number);
  }
  for (uint32_t cpu = 0; cpu < env_.drain.layout().cpus; cpu++)
    hits_[cpu * NZ_MAX_SITES + number] = 0;
  ids_.release_site(number);
}

void Stages::attach_file(const config::Target& target, const std::string& file,
                         const std::vector<const config::Stage*>& stages, Attached& attached) {
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

// Threads remember the number of the site at an address: they must ask anew.
void Stages::write_site(uint32_t number, const nz_site& site) {
  sites_[number] = site;
  env_.object.control().site_generation++;
}

// All or nothing: half of a stage's addresses would count starts that never end.
Result<std::vector<Fd>> Stages::link(const std::vector<Wire>& wires, pid_t pid) {
  std::vector<Fd> links;
  for (const Wire& wire : wires) {
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
                                  const std::vector<PlannedSite>& planned, Attached& attached) {
  const uint32_t slot = attached.member.slot;
  const pid_t pid = attached.member.process.pid;
  const bool in_executable = file == targets::openable_executable(pid);
  const auto held = std::make_shared<Fd>(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (held->get() < 0) return fail_errno("open " + file, errno, "the process may have ended");
  Wire entries{"nz_stage_hit", held, {}};
  Wire returns{"nz_stage_return", held, {}};
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
  std::vector<Wire> wires;
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
      if (!in_use(number)) release(number);
    }
    return tl::unexpected(links.error());
  }
  if (!paused_.contains(slot)) {
    for (const auto& [number, site] : numbered)
      write_site(number, winding_.contains(slot) ? winding_down(site) : site);
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
    return in_flight(stats_of(entry.second), completed) == 0;
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
  for (const auto& [number, site] : sites_of(slot)) write_site(number, after_pause(site));
}

void Stages::link_again(pid_t pid, Attached& attached) {
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

void Stages::collect(std::vector<metrics::Family>& out) const {
  using metrics::Family;
  using metrics::Type;
  Family duration{"nearzero_order_stage_duration_seconds",
                  "Duration of a stage of the order path in seconds.",
                  Type::histogram,
                  {}};
  Family component{
      "nearzero_order_stage_component_seconds_total",
      "Seconds of the stage by what its thread did: running, runnable, or blocked by reason.",
      Type::counter,
      {}};
  Family started{"nearzero_order_stage_started_total", "Times the stage began.", Type::counter, {}};
  Family completed{"nearzero_order_stage_completed_total",
                   "Times the stage ended where it should.",
                   Type::counter,
                   {}};
  Family abandoned{"nearzero_order_stage_abandoned_total",
                   "Times the stage began and never ended: restarted (the path was left), unwound "
                   "(exception, longjmp), thread_exited (or `nearzero off`), too_deep, paused (by "
                   "the duty cycle).",
                   Type::counter,
                   {}};
  Family unmatched{"nearzero_order_stage_unmatched_total",
                   "Ends of the stage without a start: it began before attach, or another caller.",
                   Type::counter,
                   {}};
  Family torn{"nearzero_order_stage_torn_total",
              "Completed stages whose components are not known.",
              Type::counter,
              {}};
  Family open{"nearzero_order_stage_in_flight", "Stages begun and not ended.", Type::gauge, {}};
  for (const auto& [key, stage] : ids_.stages()) {
    auto histogram = env_.drain.histogram(env_.drain.layout().stage_base() + stage);
    const auto s = stats_of(stage);
    const uint64_t sum_ns = histogram ? histogram->sum_ns : 0;
    const uint64_t ended = histogram ? histogram->count() : 0;
    const metrics::Labels labels{{"target", key.target}, {"stage", key.name}};
    const auto add = [&](Family& family, uint64_t n, const char* label = nullptr,
                         const char* value = nullptr) {
      metrics::Labels with = labels;
      if (label != nullptr) with.emplace_back(label, value);
      family.samples.push_back({std::move(with), static_cast<double>(n), nullptr});
    };
    if (histogram) duration.samples.push_back({labels, 0, std::move(histogram)});
    add(started, s.started);
    add(completed, ended);
    add(abandoned, s.restarted, "cause", "restarted");
    add(abandoned, s.unwound, "cause", "unwound");
    add(abandoned, s.died, "cause", "thread_exited");
    add(abandoned, s.too_deep, "cause", "too_deep");
    add(abandoned, s.cut, "cause", "paused");
    add(unmatched, s.unmatched);
    add(torn, s.torn);
    add(open, in_flight(s, ended));
    const auto components = components_.of(stage, s, sum_ns);
    for (size_t i = 0; i < NZ_COMPONENTS; i++) {
      if (components[i] == 0) continue;
      metrics::Labels with = labels;
      with.emplace_back("component", kComponents[i]);
      component.samples.push_back(
          {std::move(with), static_cast<double>(components[i]) / 1e9, nullptr});
    }
  }
  for (Family* f :
       {&duration, &component, &started, &completed, &abandoned, &unmatched, &torn, &open})
    out.push_back(std::move(*f));
}

}  // namespace

std::unique_ptr<Probe> make_stages(const Env& env) { return std::make_unique<Stages>(env); }

}  // namespace nz::probes
