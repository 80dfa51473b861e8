#include "userspace/inspect/call_rate.h"

#include <numeric>
#include <thread>

#include "userspace/base/interrupt.h"

namespace nz::inspect {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kStep{20};

}  // namespace

uint64_t site_hits(const loader::Object& object, size_t site) {
  const auto hits = object.array<uint64_t>("nz_site_hits");
  uint64_t sum = 0;
  for (uint32_t cpu = 0; cpu < object.layout().cpus; cpu++) sum += hits[cpu * NZ_MAX_SITES + site];
  return sum;
}

Result<std::unique_ptr<loader::Object>> load_counter() {
  loader::Object::Options options;
  options.layout.cpus = loader::possible_cpus();
  options.layout.task_entries = 64;  // of no use here
  options.only = {"nz_trace_count"};
  return loader::Object::load(options);
}

Result<CallRate> count_calls(loader::Object& object, const std::string& path, pid_t pid,
                             const std::vector<uint64_t>& sites,
                             const std::vector<double>& ns_per_hit, double most,
                             std::chrono::milliseconds length) {
  if (sites.size() > NZ_MAX_SITES)
    return fail(std::to_string(sites.size()) + " functions are too many to count at once",
                "at most " + std::to_string(NZ_MAX_SITES) + ": choose a narrower pattern");
  object.clear("nz_site_hits");
  std::vector<loader::UprobeSite> attach;
  for (size_t i = 0; i < sites.size(); i++) attach.push_back({sites[i], i});
  auto link = object.attach_uprobes("nz_trace_count", path, pid, attach);
  if (!link) return tl::unexpected(link.error());

  CallRate rate;
  const auto start = Clock::now();
  while (!interrupted()) {
    std::this_thread::sleep_for(kStep);
    rate.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    rate.calls.clear();
    for (size_t i = 0; i < sites.size(); i++) rate.calls.push_back(site_hits(object, i));
    if (Clock::now() - start >= length) break;
    const double ns =
        std::inner_product(rate.calls.begin(), rate.calls.end(), ns_per_hit.begin(), 0.0);
    if (ns > most * rate.seconds * 1e9) {
      rate.stopped_early = true;
      break;
    }
  }
  return rate;
}

}  // namespace nz::inspect
