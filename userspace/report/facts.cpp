#include "userspace/report/facts.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <tuple>

namespace nz::report {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kDuration = "nearzero_order_stage_duration_seconds";

// A comparison with what is no number has no order.
double finite(double value) { return std::isfinite(value) ? value : 0; }

double over(double n, double seconds) { return seconds > 0 ? n / seconds : 0; }

}  // namespace

const Stage* Target::main() const {
  return stages.empty() || stages.front().now.count() == 0 ? nullptr : &stages.front();
}

Facts::Facts(const Input& input)
    : in(input),
      clock(input.from, input.to),
      now(input.now),
      before(input.before),
      compared(!input.before.series.empty() && input.before.seconds() > 0) {
  find_targets();
  find_troubles();
}

const Target* Facts::target(const std::string& name) const {
  const auto it =
      std::find_if(targets.begin(), targets.end(), [&](const Target& t) { return t.name == name; });
  return it == targets.end() ? nullptr : &*it;
}

double Facts::rate(std::string_view name, const analysis::Labels& labels) const {
  return now.has(name, labels) ? now.rate(name, labels) : kNothing;
}

double Facts::rate_before(std::string_view name, const analysis::Labels& labels) const {
  return compared && before.has(name, labels) ? before.rate(name, labels) : kNothing;
}

const TrendLine* Facts::trend(std::string_view name, std::string_view statistic,
                              const analysis::Labels& labels) const {
  for (const TrendLine& line : in.trends) {
    if (line.of.name == name && line.of.statistic == statistic &&
        analysis::has_labels(line.of.labels, labels))
      return &line;
  }
  return nullptr;
}

std::vector<Stage> Facts::stages_of(const std::string& target) const {
  const std::string whole = analysis::whole_stage(now, target, "");
  std::vector<std::pair<double, Stage>> found;
  std::set<std::string> names;
  for (const auto* index : {&now, &before}) {
    for (const auto* s : index->find(kDuration, {{"target", target}}))
      names.insert(analysis::label_of(*s, "stage"));
  }
  for (const std::string& name : names) {
    const analysis::Labels labels{{"target", target}, {"stage", name}};
    Stage stage;
    stage.name = name;
    stage.whole = name == whole;
    stage.now = now.histogram(kDuration, labels);
    stage.before = before.histogram(kDuration, labels);
    stage.rate = over(static_cast<double>(stage.now.count()), now.observed("stages", target));
    stage.rate_before =
        over(static_cast<double>(stage.before.count()), before.observed("stages", target));
    if (stage.now.count() == 0 && stage.before.count() == 0) continue;
    found.emplace_back(static_cast<double>(stage.now.sum_ns), std::move(stage));
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tuple(!a.second.whole, -a.first) < std::tuple(!b.second.whole, -b.first);
  });
  std::vector<Stage> stages;
  for (auto& [seconds, stage] : found) stages.push_back(std::move(stage));
  return stages;
}

void Facts::find_targets() {
  std::set<std::string> names;
  for (const char* family :
       {kDuration, "nearzero_oncpu_slice_seconds", "nearzero_sqlite_statement_duration_seconds"}) {
    for (const std::string& name : now.values_of(family, "target")) names.insert(name);
  }
  names.erase("host");
  names.erase("");
  const analysis::Context context{now, before, in.details, rules_};
  for (const std::string& name : names) {
    Target target;
    target.name = name;
    target.path = std::make_unique<analysis::OrderPath>(name, now, before, rules_);
    target.stages = stages_of(name);
    target.statements = analysis::statements(context, *target.path);
    std::stable_sort(target.statements.begin(), target.statements.end(),
                     [](const auto& a, const auto& b) {
                       return finite(a.count * a.mean_now) > finite(b.count * b.mean_now);
                     });
    targets.push_back(std::move(target));
  }
}

void Facts::find_troubles() {
  for (const analysis::Finding& f : in.findings) {
    const bool over = f.until > 0 && f.until <= in.to;
    if (f.since > in.to || (f.until > 0 && f.until < in.from)) continue;
    Trouble trouble;
    trouble.finding = &f;
    trouble.over = over;
    trouble.from = std::max(in.from, f.since);
    trouble.to = over ? f.until : in.to;
    const Target* t = target(f.target);
    if (t != nullptr && t->path->from_stages())
      trouble.orders = t->path->now().orders_per_second * (trouble.to - trouble.from);
    troubles.push_back(trouble);
  }
  std::stable_sort(troubles.begin(), troubles.end(), [](const Trouble& a, const Trouble& b) {
    // As analysis::costlier().
    const auto rank = [](const Trouble& t) {
      const analysis::Finding& f = *t.finding;
      return std::tuple(t.over, -finite(f.impact), -static_cast<int>(f.severity),
                        -finite(f.confidence));
    };
    return std::tuple_cat(rank(a), std::tie(a.finding->id)) <
           std::tuple_cat(rank(b), std::tie(b.finding->id));
  });
}

}  // namespace nz::report
