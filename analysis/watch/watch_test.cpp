// Windows of ten seconds, made by hand: a service whose statement gets slower, and one with a
// moment that is out of the usual.
#include "analysis/watch/watch.h"

#include <gtest/gtest.h>

#include <random>

namespace nz::analysis {
namespace {

constexpr double kStart = 1'700'000'000;
const Labels kStage{{"target", "demo"}, {"stage", "risk"}};
const Labels kStatement{{"target", "demo"}, {"digest", "aa01"}, {"statement", "SELECT 1"}};

class Service {
 public:
  // 10 s of 1,000 orders around `median` seconds; keeps the values for who asks later.
  Window ten_seconds(double median, double threads = 4) {
    auto h = std::make_shared<Histogram>();
    std::lognormal_distribution<double> orders(std::log(median), 0.3);
    for (int i = 0; i < 1000; i++) h->record(static_cast<std::uint64_t>(orders(random_) * 1e9));
    at_ += 10;
    slices_.push_back({at_ - 10, at_, h});
    Window w;
    w.from = at_ - 10;
    w.to = at_;
    w.series.push_back({"nearzero_order_stage_duration_seconds", kStage, 0, 0, 0, 0, h});
    w.series.push_back({"nearzero_sqlite_statement_duration_seconds", kStatement, 0, 0, 0, 0, h});
    w.series.push_back({"nearzero_target_threads",
                        {{"target", "demo"}},
                        0,
                        threads + std::uniform_real_distribution<double>(0, 0.5)(random_),
                        threads,
                        threads,
                        nullptr});
    return w;
  }
  [[nodiscard]] RegressionWatch::History history() const {
    return [this](const Quantity& of, double from, double to) {
      std::vector<Slice> found;
      if (!of.name.ends_with("_seconds")) return found;
      for (const Slice& slice : slices_) {
        if (slice.from >= from && slice.to <= to) found.push_back(slice);
      }
      return found;
    };
  }
  [[nodiscard]] double at() const { return at_; }

 private:
  std::mt19937 random_{7};
  double at_ = kStart;
  std::vector<Slice> slices_;
};

TEST(Quantities, AreLatenciesRatesAndLevels) {
  Service service;
  Window w = service.ten_seconds(1e-3);
  w.series.push_back({"nearzero_sqlite_statements_total", kStatement, 500, 500, 0, 0, nullptr});
  w.series.push_back({"nearzero_probe_observed_seconds_total",
                      {{"probe", "sqlite"}, {"target", "demo"}},
                      5,
                      5,
                      0,
                      0,
                      nullptr});
  w.series.push_back({"nearzero_http_requests_total", {}, 500, 500, 0, 0, nullptr});
  std::map<std::string, double> values;
  for (const Measured& m : quantities_of(w)) values[text_of(m.of)] = m.value;
  EXPECT_NEAR(values["nearzero_order_stage_duration_seconds{target=\"demo\",stage=\"risk\"} p50"],
              1e-3, 1e-4);
  EXPECT_NEAR(values["nearzero_order_stage_duration_seconds{target=\"demo\",stage=\"risk\"} p99"],
              2e-3, 4e-4);
  EXPECT_EQ(values["nearzero_sqlite_statements_total{target=\"demo\",digest=\"aa01\","
                   "statement=\"SELECT 1\"} rate"],
            100)
      << "by the seconds that were observed";
  EXPECT_TRUE(values.contains("nearzero_target_threads{target=\"demo\"} value"));
  for (const auto& [name, value] : values) EXPECT_EQ(name.find("http"), std::string::npos) << name;
}

TEST(Quantities, ATailNeedsEnoughValues) {
  Window w;
  w.to = 10;
  auto h = std::make_shared<Histogram>();
  for (int i = 0; i < 20; i++) h->record(1'000'000);
  w.series.push_back({"nearzero_order_stage_duration_seconds", kStage, 0, 0, 0, 0, h});
  std::vector<std::string> statistics;
  for (const Measured& m : quantities_of(w)) statistics.push_back(m.of.statistic);
  EXPECT_EQ(statistics, (std::vector<std::string>{"p50", "rate"}));
  EXPECT_TRUE(quantities_of(Window{}).empty());
}

TEST(Watch, TellsALastingChangeOnceAndItsEnd) {
  Service service;
  Watch watch;
  std::vector<Regression> opened;
  std::vector<Regression> resolved;
  double told = 0;
  const double onset = kStart + 1800;
  const double cure = onset + 900;
  while (service.at() < cure + 600) {
    const bool slow = service.at() >= onset && service.at() < cure;
    const Window w = service.ten_seconds(slow ? 2e-3 : 1e-3);
    EXPECT_TRUE(watch.due(w.to));
    const auto changes = watch.look(w, service.history(), {});
    EXPECT_FALSE(watch.due(w.to + 9));
    EXPECT_TRUE(watch.due(w.to + 9.95));
    for (const Regression& r : changes.regressions.opened) {
      EXPECT_GE(w.to, onset) << text_of(r.of);
      if (opened.empty()) told = w.to;
      opened.push_back(r);
    }
    for (const Regression& r : changes.regressions.resolved) resolved.push_back(r);
  }
  ASSERT_EQ(opened.size(), 2U) << "the stage and the statement; p50 and p99 are one change";
  EXPECT_LE(told - onset, 120);
  for (const Regression& r : opened) {
    EXPECT_TRUE(r.worse);
    EXPECT_NEAR(r.since, onset, 20) << text_of(r.of);
    EXPECT_NEAR(r.after / r.before, 2, 0.2);
    EXPECT_GE(r.confidence, 0.95);
  }
  ASSERT_EQ(resolved.size(), 2U);
  for (const Regression& r : resolved) EXPECT_NEAR(r.until, cure, 120);
}

TEST(Watch, AMomentOutOfTheUsualIsAnIncidentAndNoRegression) {
  Service service;
  Watch watch;
  std::size_t incidents = 0;
  std::size_t regressions = 0;
  constexpr int kOdd =
      600;  // in the first hour no value can be told from one that comes each month
  for (int i = 0; i < kOdd + 100; i++) {
    const bool odd = i == kOdd || i == kOdd + 1;
    const auto changes = watch.look(service.ten_seconds(odd ? 20e-3 : 1e-3), service.history(), {});
    regressions += changes.regressions.opened.size();
    for (const Incident& incident : changes.incidents.opened) {
      if (i < kOdd || i > kOdd + 10) continue;  // a false alarm a month is in the contract
      incidents++;
      ASSERT_GE(incident.members.size(), 2U);
      EXPECT_NEAR(incident.since, kStart + 10 * (kOdd + 1), 20);
    }
  }
  EXPECT_EQ(incidents, 1U);
  EXPECT_EQ(regressions, 0U);
}

}  // namespace
}  // namespace nz::analysis
