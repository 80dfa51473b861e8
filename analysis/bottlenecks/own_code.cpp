// The service computes longer per order than before, in code of its own: what statements, faults
// and neighbours do not explain.
#include <algorithm>

#include "analysis/bottlenecks/cpu_use.h"
#include "analysis/bottlenecks/hot_function.h"
#include "analysis/bottlenecks/kinds.h"
#include "analysis/bottlenecks/statements.h"
#include "analysis/text.h"

namespace nz::analysis {
namespace {

std::string advice(const HotFunction* hot, const std::string& target) {
  const std::string beside =
      " Work that an order does not need (logging, copies, allocation) goes beside the path.";
  if (hot == nullptr) {
    return "See which function it is: perf record -g -p PID (or the agent's profile). What was "
           "deployed or configured when it grew? nearzero trace func::FUNCTION -p PID tells calls "
           "from time per call." +
           beside;
  }
  // What is no function of the program's cannot be probed, but its callers are.
  if (hot->module == "[kernel]" || hot->function.starts_with('[')) {
    return "See who calls " + hot->function +
           ": /performance/profile?format=folded&target=" + target +
           " has the stacks. What was deployed or configured when it grew?" + beside;
  }
  return "Look at " + hot->function + " in " + hot->module +
         ": what was deployed or configured when it grew? nearzero trace func::" + hot->function +
         " -p PID tells calls from time per call." + beside;
}

}  // namespace

void find_own_code(const Context& context, const OrderPath& path, std::vector<Candidate>& out) {
  const Rules& rules = context.rules;
  if (!path.comparable() || !path.from_stages()) return;
  const double before = path.before().parts[Component::running];
  const bool quieter = path.now().orders_per_second < 0.5 * path.before().orders_per_second;
  const double factor = quieter ? rules.own_code_growth_at_low_load : rules.own_code_growth;
  if (!grew(path.now().parts[Component::running], before, factor)) return;
  const HotFunction* hot = hottest(context.details, path.target());
  const bool hotter = clearly_hotter(hot);
  const Processors& cpu = processors(context, path);
  double others = interference(context, path, cpu);
  for (const Statement& st : statements(context, path)) others += st.excess();

  Candidate c = candidate("own_code", path);
  c.residual = true;
  c.claims.push_back({Component::running, path.excess(Component::running) - others});
  c.least_seconds = (factor - 1) * before;
  const std::string stage = path.worst_stage(Component::running);
  c.finding.where = hot != nullptr && hotter ? hot->function : stage.empty() ? "code" : stage;
  c.finding.title = "The service computes longer per order" + in_stage(path, Component::running) +
                    (hotter ? ", in " + hot->function : "") + ": " +
                    seconds_text(path.now().parts[Component::running]) + " in place of " +
                    seconds_text(before);
  if (hot != nullptr) {
    c.finding.evidence.push_back(
        {selector("nearzero_hot_function_samples_total",
                  {{"target", path.target()}, {"function", hot->function}}),
         hot->function + " (" + hot->module + "): " + percent_text(hot->share) +
             " of the samples (before: " + (hot->before ? percent_text(*hot->before) : "unknown") +
             ")",
         hot->share, "ratio"});
  }
  c.finding.recommendation = advice(hot, path.target());
  c.symptoms = {hotter, path.now().parts[Component::running] > 2 * before};
  if (cpu.contention == Contention::own && cpu.own_grew > 0) {
    c.explains.push_back({"cpu_saturation", path.excess(Component::running) *
                                                path.now().orders_per_second / cpu.own_grew});
  }
  out.push_back(std::move(c));
}

}  // namespace nz::analysis
