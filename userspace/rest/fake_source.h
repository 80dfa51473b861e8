// A source by hand for tests: ten minutes of a service of two stages, with one dropped event.
#pragma once

#include <memory>

#include "userspace/history/test_families.h"
#include "userspace/rest/source.h"

namespace nz::rest::testing {

inline constexpr double kStart = 1'795'769'400;  // 2026-11-27T08:50:00Z
inline constexpr double kNow = kStart + 600;

class FakeSource : public Source {
 public:
  /// Points each 10 s: 100 orders of 1 ms in a step for `risk`, 50 of 2 ms for `submit`, 20 rows.
  FakeSource() {
    analysis::Histogram risk, submit;
    for (int s = 0; s <= 600; s += 10) {
      if (s > 0) {
        for (int i = 0; i < 100; i++) risk.record(1'000'000);
        for (int i = 0; i < 50; i++) submit.record(2'000'000);
      }
      add(kStart + s, risk, submit, 2.0 * s, s >= 570 ? 3 : 0);
    }
  }
  [[nodiscard]] const history::History& history() const override { return history_; }
  [[nodiscard]] std::shared_ptr<const View> view() const override { return view_; }

  void add(double at, const analysis::Histogram& risk, const analysis::Histogram& submit,
           double rows, double drops) {
    using namespace history::testing;
    auto next = std::make_shared<View>(view_ ? *view_ : View{});
    next->generation++;
    next->at = at;
    metrics::Family stages = histogram("nearzero_order_stage_duration_seconds", risk,
                                       {{"target", "demo"}, {"stage", "risk"}});
    stages.samples.push_back({{{"target", "demo"}, {"stage", "submit"}},
                              0,
                              std::make_shared<const analysis::Histogram>(submit)});
    stages.samples.push_back({{{"target", "demo"}, {"stage", "idle"}},
                              0,
                              std::make_shared<const analysis::Histogram>()});
    next->families = {
        stages, counter("nearzero_sqlite_rows_total", rows, {{"target", "demo"}}),
        gauge("nearzero_target_threads", 7, {{"target", "de\xffmo \"x\""}}),
        counter("nearzero_drops_total", drops, {{"probe", "events"}, {"cause", "ring_full"}})};
    history_.add(at, next->families);
    view_ = std::move(next);
  }
  /// Changes the present view, as the next drain would.
  template <class Change>
  void change(Change change) {
    auto next = std::make_shared<View>(*view_);
    next->generation++;
    change(*next);
    view_ = std::move(next);
  }
  void forget_view() { view_.reset(); }

 private:
  history::History history_{{.resolution = 10, .length = 3600}};
  std::shared_ptr<const View> view_;
};

inline analysis::Finding finding(const std::string& id, analysis::Severity severity, double impact,
                                 double since, double until = 0) {
  analysis::Finding f;
  f.id = id;
  f.kind = id.substr(0, id.find('/'));
  f.target = "demo";
  f.where = "processor 1";
  f.title = "Something takes the processor";
  f.severity = severity;
  f.state = until == 0 ? analysis::FindingState::ongoing : analysis::FindingState::resolved;
  f.impact = impact;
  f.impact_seconds = 0.001;
  f.confidence = 0.9;
  f.since = since;
  f.until = until;
  f.from = since;
  f.to = since + 60;
  f.recommendation = "Pin it elsewhere.";
  f.evidence = {
      {"nearzero_runqueue_latency_seconds{target=\"demo\"}", "p99: 4 ms", 0.004, "seconds"}};
  return f;
}

inline analysis::Details details() {
  analysis::Details d;
  analysis::SlowStatement s;
  s.at = kNow - 30;
  s.target = "demo";
  s.sql = "SELECT ?";
  s.inside = 0.25;
  s.advice = {"CREATE INDEX i ON t(a)"};
  s.settings = {"PRAGMA synchronous=NORMAL"};
  d.slow_statements = {s};
  s.at = kNow - 500;
  d.slow_statements.push_back(s);
  d.profile_seconds = 60;
  d.hot_functions = {{"demo", "match", "nz-demo", 0.4, 0.1, 400},
                     {"demo", "parse", "nz-demo", 0.2, std::nullopt, 200},
                     {"other", "parse", "other", 1, 1, 20}};
  d.folded = {{"demo", "main;match 400\nmain;parse 200\n"}, {"other", "parse 20\n"}};
  return d;
}

}  // namespace nz::rest::testing
