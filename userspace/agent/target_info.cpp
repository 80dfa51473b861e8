#include "userspace/agent/target_info.h"

namespace nz::agent {

void collect_target_info(const targets::Tracker& tracker, std::vector<metrics::Family>& out) {
  metrics::Family info{
      "nearzero_target_info",
      "The service that the target is, as its own metrics are labelled; the value is 1.",
      metrics::Type::gauge,
      {}};
  for (const uint32_t slot : tracker.slots()) {
    const config::Target* target = tracker.target(slot);
    if (target == nullptr) continue;  // a reload has removed it, and only its counts stay
    metrics::Labels labels{{"target", target->name}};
    if (!target->labels.job.empty()) labels.emplace_back("service_job", target->labels.job);
    if (!target->labels.instance.empty())
      labels.emplace_back("service_instance", target->labels.instance);
    info.samples.push_back({std::move(labels), 1, nullptr});
  }
  out.push_back(std::move(info));
}

}  // namespace nz::agent
