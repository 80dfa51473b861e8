// How long threads that want memory are stalled because they have to make room themselves, by
// target and by why, and whom the kernel kills for want of memory.
#include <array>

#include "nearzero/reclaim.h"
#include "probes/by_slot.h"
#include "probes/probe.h"
#include "probes/tracing_links.h"

namespace nz::probes {
namespace {

constexpr std::array<const char*, NZ_STALLS> kKinds = {"host", "cgroup", "compaction"};

class Reclaim final : public Probe {
 public:
  explicit Reclaim(const Env& env)
      : Probe(env),
        rows_(env, env.object.array<nz_hist>("nz_reclaim_hists"), NZ_STALLS),
        counts_(env.object.array<nz_reclaim_stats>("nz_reclaim_counts")),
        links_(env.object) {}

  [[nodiscard]] std::string name() const override { return "reclaim"; }

  void start() override {
    if (tripped_) return;
    if (!wanted()) {
      links_.close();
      return;
    }
    if (links_.none()) env_.object.clear("nz_reclaim_stalls");
    // Ends first: what begins while the programs come up is either whole or known as begun unseen.
    links_.attach({"nz_reclaim_end", "nz_reclaim_begin", "nz_reclaim_cgroup_end",
                   "nz_reclaim_cgroup_begin", "nz_compaction_end", "nz_compaction_begin",
                   "nz_oom_kill"});
  }

  void stop() override {
    links_.close();
    tripped_ = false;
  }

  void trip(uint32_t) override {
    links_.close();
    tripped_ = true;
  }

  void collect(std::vector<metrics::Family>& out) const override {
    metrics::Family stall{
        "nearzero_reclaim_stall_seconds",
        "Time that a thread was stalled to make room for the memory it wants in seconds: because "
        "the host has none free, its control group is at its limit, or no block is large enough.",
        metrics::Type::histogram,
        {}};
    for (uint32_t kind = 0; kind < NZ_STALLS; kind++)
      rows_.add_histograms(stall, kind, {{"kind", kKinds[kind]}});
    out.push_back(std::move(stall));
    const auto counter = [&](const char* family, const char* help,
                             nz_u64 nz_reclaim_stats::*field) {
      metrics::Family f{family, help, metrics::Type::counter, {}};
      rows_.add_counters(f, [&](uint32_t slot) { return counts_[slot].*field; });
      out.push_back(std::move(f));
    };
    counter("nearzero_oom_kills_total", "Processes that the kernel killed for want of memory.",
            &nz_reclaim_stats::oom_kills);
    metrics::Family incomplete{"nearzero_reclaim_incomplete_total",
                               "Stalls that were not recorded, by cause.",
                               metrics::Type::counter,
                               {}};
    const auto sum = drain::Drain::sum_shards<nz_reclaim_stats>(counts_, 1, 0);
    incomplete.samples.push_back(
        {{{"cause", "began_before_attach"}}, static_cast<double>(sum.start_unseen), nullptr});
    incomplete.samples.push_back(
        {{{"cause", "too_many_at_a_time"}}, static_cast<double>(sum.no_room), nullptr});
    out.push_back(std::move(incomplete));
  }

  [[nodiscard]] std::vector<Cost> costs() const override {
    std::vector<Cost> result;
    for (uint32_t slot = 0; slot < NZ_SLOTS; slot++) {
      uint64_t hits = counts_[slot].oom_kills + counts_[slot].no_room + counts_[slot].start_unseen;
      for (uint32_t kind = 0; kind < NZ_STALLS; kind++) hits += rows_.count(slot, kind);
      // Two hooks that write an entry and a histogram: as much as an event of a process.
      if (hits != 0) result.push_back({slot, HitKind::lifecycle, hits});
    }
    return result;
  }

  [[nodiscard]] std::vector<Status> status() const override {
    if (!wanted()) return {};
    const bool on = links_.contains("nz_reclaim_begin") && links_.contains("nz_reclaim_end");
    const std::string text = on         ? "stalls for memory, OOM kills"
                             : tripped_ ? "tripped: over budget"
                                        : "off";
    return {{name(), "host", 0, on, text + links_.failures()}};
  }

 private:
  [[nodiscard]] bool wanted() const {
    return env_.drain.layout().host || !env_.tracker.slots().empty();
  }

  BySlot rows_;
  std::span<const nz_reclaim_stats> counts_;
  TracingLinks links_;
  bool tripped_ = false;
};

}  // namespace

std::unique_ptr<Probe> make_reclaim(const Env& env) { return std::make_unique<Reclaim>(env); }

}  // namespace nz::probes
