#include "probes/stages/families.h"

#include <array>
#include <utility>

namespace nz::probes {
namespace {

constexpr std::array<const char*, NZ_COMPONENTS> kComponents = {
    "running", "runnable", "lock",       "idle", "disk",
    "network", "sleep",    "page_fault", "ipc",  "other"};

}  // namespace

nz_stage_stats stage_stats(const Env& env, std::span<const nz_stage_stats> all, uint32_t stage) {
  return env.drain.sum<nz_stage_stats>(all, env.drain.layout().max_stages, stage);
}

uint64_t stages_in_flight(const nz_stage_stats& s, uint64_t completed) {
  const uint64_t ended = completed + s.restarted + s.unwound + s.died + s.cut + s.too_deep;
  return s.started > ended ? s.started - ended : 0;
}

void collect_stages(const Env& env, const StageIds& ids, std::span<const nz_stage_stats> all,
                    Components& components, std::vector<metrics::Family>& out) {
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
  for (const auto& [key, stage] : ids.stages()) {
    auto histogram = env.drain.histogram(env.drain.layout().stage_base() + stage);
    const auto s = stage_stats(env, all, stage);
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
    add(open, stages_in_flight(s, ended));
    const auto parts = components.of(stage, s, sum_ns);
    for (size_t i = 0; i < NZ_COMPONENTS; i++) {
      if (parts[i] == 0) continue;
      metrics::Labels with = labels;
      with.emplace_back("component", kComponents[i]);
      component.samples.push_back({std::move(with), static_cast<double>(parts[i]) / 1e9, nullptr});
    }
  }
  for (Family* f :
       {&duration, &component, &started, &completed, &abandoned, &unmatched, &torn, &open})
    out.push_back(std::move(*f));
}

}  // namespace nz::probes
