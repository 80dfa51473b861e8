#include "tests/workloads/demo/truth.h"

#include <algorithm>
#include <cmath>

namespace demo {

const std::array<const char*, kStages> kStageNames{
    "demo::process_order", "demo::on_market_data", "demo::compute_signal", "demo::check_risk",
    "demo::persist_order", "demo::acknowledge",    "demo::reject_order"};

bool g_truth_clock = true;

namespace {

using nlohmann::json;

struct Pair {
  Stage from, to;
};
constexpr std::array<Pair, 5> kPairs{{{kOnMarketData, kComputeSignal},
                                      {kComputeSignal, kCheckRisk},
                                      {kCheckRisk, kPersistOrder},
                                      {kPersistOrder, kAcknowledge},
                                      {kCheckRisk, kRejectOrder}}};

bool returned(const OrderTimes& t, Stage s) { return t.entry[s] && !(t.thrown & (1u << s)); }
bool has_pair(const OrderTimes& t, const Pair& p) { return t.entry[p.from] && t.entry[p.to]; }

// Quantiles by nearest rank, exact. nth_element on what is left of the previous one: the report
// must be out within 200 ms of the stop, and sorting everything would not be.
void add_quantiles(json& out, std::vector<uint64_t> samples) {
  out["samples"] = samples.size();
  if (samples.empty()) return;
  auto from = samples.begin();
  for (const auto& [name, q] :
       std::initializer_list<std::pair<const char*, double>>{{"p50_ns", 0.5},
                                                             {"p90_ns", 0.9},
                                                             {"p95_ns", 0.95},
                                                             {"p99_ns", 0.99},
                                                             {"p999_ns", 0.999}}) {
    const auto rank =
        static_cast<std::ptrdiff_t>(std::ceil(q * static_cast<double>(samples.size())));
    const auto nth = samples.begin() + std::max<std::ptrdiff_t>(rank - 1, 0);
    std::nth_element(from, nth, samples.end());
    out[name] = *nth;
    from = nth;
  }
}

json describe(const Moments& m, std::vector<uint64_t> samples, bool timed = true) {
  json out{{"count", m.count}};
  if (!timed) return out;
  out["sum_ns"] = m.sum;
  if (m.count > 0) {
    out["min_ns"] = m.min;
    out["max_ns"] = m.max;
    out["mean_ns"] = static_cast<double>(m.sum) / static_cast<double>(m.count);
  }
  add_quantiles(out, std::move(samples));
  return out;
}

json describe(const std::vector<uint64_t>& samples) {
  Moments m;
  for (uint64_t ns : samples) m.add(ns);
  return describe(m, samples);
}

}  // namespace

void Moments::add(uint64_t ns) {
  ++count;
  sum += ns;
  min = std::min(min, ns);
  max = std::max(max, ns);
}

void Moments::merge(const Moments& other) {
  count += other.count;
  sum += other.sum;
  min = std::min(min, other.min);
  max = std::max(max, other.max);
}

TruthLog::TruthLog(size_t capacity, size_t prefault) : capacity_(capacity) {
  // Touch what will be used, or every 28th order would pay for a page fault.
  orders_.resize(std::min(capacity, prefault));
  orders_.clear();
}

void TruthLog::record(const OrderTimes& t) {
  for (uint8_t s = 0; s < kStages; ++s) {
    if (!t.entry[s]) continue;
    StageSums& sums = stages_[s];
    ++sums.started;
    if (returned(t, static_cast<Stage>(s))) {
      sums.returned.add(t.exit[s] - t.entry[s]);
    } else {
      ++sums.exceptions;
      sums.exception_sum_ns += t.exit[s] - t.entry[s];
    }
  }
  for (size_t p = 0; p < kPairs.size(); ++p)
    if (has_pair(t, kPairs[p])) pairs_[p].add(t.entry[kPairs[p].to] - t.entry[kPairs[p].from]);
  latency_[static_cast<size_t>(t.outcome)].add(t.ended - t.started);
  if (t.outcome == Outcome::kCompleted && t.enqueued) from_enqueue_.add(t.ended - t.enqueued);
  if (orders_.size() < capacity_) orders_.push_back(t);
}

void Truth::add(TruthLog log) { logs_.push_back(std::move(log)); }

json Truth::orders(const std::vector<FaultWindow>& faults) const {
  uint64_t first = std::numeric_limits<uint64_t>::max();
  uint64_t last = 0;
  for (const FaultWindow& f : faults) {
    first = std::min(first, f.start_ns);
    last = std::max(last, f.stop_ns);
  }
  std::array<Moments, 3> latency{};
  Moments from_enqueue;
  std::array<std::vector<uint64_t>, 2> samples;
  std::vector<uint64_t> enqueue_samples, before, during, after;
  for (const TruthLog& log : logs_) {
    for (size_t i = 0; i < latency.size(); ++i) latency[i].merge(log.latency_[i]);
    from_enqueue.merge(log.from_enqueue_);
    for (const OrderTimes& t : log.orders_) {
      if (t.outcome == Outcome::kFailed) continue;
      const uint64_t ns = t.ended - t.started;
      samples[static_cast<size_t>(t.outcome)].push_back(ns);
      if (t.outcome != Outcome::kCompleted) continue;
      if (t.enqueued) enqueue_samples.push_back(t.ended - t.enqueued);
      // An order that was under way when the fault began belongs to it.
      (t.ended < first ? before : t.started < last ? during : after).push_back(ns);
    }
  }
  const auto count = [&](Outcome o) { return latency[static_cast<size_t>(o)].count; };
  json out{
      {"started", count(Outcome::kCompleted) + count(Outcome::kRejected) + count(Outcome::kFailed)},
      {"completed", count(Outcome::kCompleted)},
      {"rejected", count(Outcome::kRejected)},
      {"failed", count(Outcome::kFailed)},
      {"latency", describe(latency[0], std::move(samples[0]))},
      {"rejected_latency", describe(latency[1], std::move(samples[1]))}};
  if (g_truth_clock) out["from_enqueue"] = describe(from_enqueue, std::move(enqueue_samples));
  if (!faults.empty())
    out["by_phase"] = {
        {"before", describe(before)}, {"during", describe(during)}, {"after", describe(after)}};
  return out;
}

json Truth::stages() const {
  json out = json::object();
  for (uint8_t s = 0; s < kStages; ++s) {
    StageSums sums;
    std::vector<uint64_t> samples;
    for (const TruthLog& log : logs_) {
      sums.started += log.stages_[s].started;
      sums.exceptions += log.stages_[s].exceptions;
      sums.exception_sum_ns += log.stages_[s].exception_sum_ns;
      sums.returned.merge(log.stages_[s].returned);
      for (const OrderTimes& t : log.orders_)
        if (returned(t, static_cast<Stage>(s))) samples.push_back(t.exit[s] - t.entry[s]);
    }
    json stage = describe(sums.returned, std::move(samples), g_truth_clock);
    stage["started"] = sums.started;
    stage["exceptions"] = sums.exceptions;
    if (g_truth_clock) stage["exception_sum_ns"] = sums.exception_sum_ns;
    out[kStageNames[s]] = std::move(stage);
  }
  return out;
}

json Truth::pairs() const {
  json out = json::array();
  for (size_t p = 0; p < kPairs.size(); ++p) {
    Moments sums;
    std::vector<uint64_t> samples;
    for (const TruthLog& log : logs_) {
      sums.merge(log.pairs_[p]);
      for (const OrderTimes& t : log.orders_)
        if (has_pair(t, kPairs[p]))
          samples.push_back(t.entry[kPairs[p].to] - t.entry[kPairs[p].from]);
    }
    json pair = describe(sums, std::move(samples), g_truth_clock);
    pair["from"] = kStageNames[kPairs[p].from];
    pair["to"] = kStageNames[kPairs[p].to];
    out.push_back(std::move(pair));
  }
  return out;
}

json Truth::report(const std::vector<FaultWindow>& faults) const {
  return {{"orders", orders(faults)}, {"stages", stages()}, {"pairs", pairs()}};
}

}  // namespace demo
