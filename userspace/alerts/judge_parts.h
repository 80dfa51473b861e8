// The parts of judge(): a function for each kind of condition.
#pragma once

#include "userspace/alerts/judge.h"

namespace nz::alerts {

Verdict judge_one(const Threshold& condition, const Rule& rule, const Judging& with);
Verdict judge_one(const Ratio& condition, const Rule& rule, const Judging& with);
Verdict judge_one(const Degradation& condition, const Rule& rule, const Judging& with);
Verdict judge_one(const Absence& condition, const Rule& rule, const Judging& with);
Verdict judge_one(const BurnRate& condition, const Rule& rule, const Judging& with);
Verdict judge_one(const RegressionFound& condition, const Rule& rule, const Judging& with);
Verdict judge_one(const AnomalyFound& condition, const Rule& rule, const Judging& with);
Verdict judge_one(const BottleneckFound& condition, const Rule& rule, const Judging& with);
Verdict judge_one(const ForecastFound& condition, const Rule& rule, const Judging& with);

/// Labels as text: the key of what has no identity of its own.
std::string key_of(const analysis::Labels& labels);

/// The texts of several events, nearest first; "none known".
std::string events_text(const std::vector<analysis::Event>& events);

}  // namespace nz::alerts
