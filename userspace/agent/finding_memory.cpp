#include "userspace/agent/finding_memory.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "userspace/agent/finding_state.h"

namespace nz::agent {

void FindingMemory::restore(Judge& judge, double now) {
  const auto saved = kept_.read(&restore_findings);
  if (!saved || saved->open.empty()) return;
  analysis::Window reference;
  if (saved->reference_to > saved->reference_from)
    reference = store_.window(saved->reference_from, saved->reference_to);
  if (reference.series.empty()) reference = {};  // nothing known is not nothing there
  const auto changes = judge.restore(saved->open, saved->seen, now, std::move(reference));
  for (const analysis::Finding& f : changes.resolved)
    spdlog::info("bottleneck {} is over after {:.0f} s, for {:.0f} s now", f.id, f.until - f.since,
                 now - f.until);
  for (const analysis::FindingLedger::Open& open : judge.open())
    spdlog::info("bottleneck {} of before the start: for {:.0f} s", open.newest.id,
                 now - open.newest.since);
  keep(judge, changes, now);
}

void FindingMemory::keep(const Judge& judge, const analysis::FindingLedger::Changes& changes,
                         double now) {
  const bool changed = !changes.opened.empty() || !changes.resolved.empty();
  const bool further = judge.any_open() && judge.observed() != seen_ && kept_.due(now, kPause);
  if (!changed && !further) return;
  seen_ = judge.observed();
  kept_.write(now,
              save_findings({seen_, judge.reference().from, judge.reference().to, judge.open()}));
}

}  // namespace nz::agent
