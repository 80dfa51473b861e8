#include "probes/sqlite/slow_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "probes/sqlite/slow_threshold.h"

namespace nz::probes {
namespace {

using std::chrono::seconds;

analysis::SlowStatement statement(const std::string& target, double at, double inside) {
  analysis::SlowStatement s;
  s.target = target;
  s.digest = "d";
  s.at = at;
  s.inside = inside;
  return s;
}

TEST(SlowLog, NewestFirstAcrossTargets) {
  SlowLog log;
  log.add(statement("a", 1, 0.1));
  log.add(statement("b", 2, 0.2));
  log.add(statement("a", 3, 0.3));
  const auto all = log.all();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].at, 3);
  EXPECT_EQ(all[1].target, "b");
  EXPECT_EQ(log.counts().at({"a", "d"}), 2U);
}

TEST(SlowLog, KeepsTheNewestAndTheSlowestOfTheHour) {
  SlowLog log;
  for (int i = 0; i < 2000; i++) log.add(statement("a", i, i == 10 ? 9.0 : 0.001 * (i % 100)));
  auto all = log.all();
  EXPECT_EQ(all.size(), SlowLog::kNewest + SlowLog::kSlowest);
  EXPECT_EQ(all.front().at, 1999);
  EXPECT_EQ(all[255].at, 2000 - 256);
  const auto has_slowest = [&] {
    return std::any_of(all.begin(), all.end(), [](const auto& s) { return s.inside == 9.0; });
  };
  EXPECT_TRUE(has_slowest());
  EXPECT_EQ(log.counts().at({"a", "d"}), 2000U);
  // An hour later it is history.
  for (int i = 0; i < 300; i++) log.add(statement("a", 4000 + i, 0.001));
  all = log.all();
  EXPECT_FALSE(has_slowest());
}

std::span<const std::byte> bytes_of(const nz_slow_statement_text_event& e, size_t size) {
  return {reinterpret_cast<const std::byte*>(&e), size};
}

TEST(DecodeSlow, DistrustsItsInput) {
  nz_slow_statement_text_event e{};
  EXPECT_FALSE(decode_slow(bytes_of(e, sizeof(e)))) << "another event";
  e.event.head.kind = NZ_EVENT_SLOW_STATEMENT;
  e.event.inside_ns = 7;
  std::memcpy(e.text, "SELECT 1", 8);
  e.event.length = 8;
  EXPECT_FALSE(decode_slow(bytes_of(e, sizeof(e.event) - 1)));
  EXPECT_FALSE(decode_slow({}));
  auto record = decode_slow(bytes_of(e, sizeof(e)));
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->event.inside_ns, 7U);
  EXPECT_EQ(record->text, "SELECT 1");
  EXPECT_EQ(decode_slow(bytes_of(e, sizeof(e.event)))->text, "") << "no text with it";
  e.event.length = 4'000'000'000U;
  EXPECT_EQ(decode_slow(bytes_of(e, sizeof(e)))->text.size(), static_cast<size_t>(NZ_SLOW_TEXT));
}

TEST(SlowText, IsTakenOnlyForTheStatementThatItIs) {
  StatementTexts::Known known;
  known.normalised = "SELECT a FROM t WHERE id = ?";
  EXPECT_TRUE(is_text_of("SELECT a FROM t WHERE id = 42", known));
  EXPECT_FALSE(is_text_of("SELECT a FROM t WHERE id = 42 AND b", known));
  EXPECT_FALSE(is_text_of("SELECT b FROM t WHERE id = 42", known));
  EXPECT_FALSE(is_text_of("", known));
  known.cut = true;
  EXPECT_TRUE(is_text_of("SELECT a FROM t WHERE id = 42 AND b", known));
}

TEST(FixedThreshold, OfTheConfiguration) {
  EXPECT_EQ(fixed_threshold("10ms"), 10'000'000U);
  EXPECT_EQ(fixed_threshold("2s"), 2'000'000'000U);
  EXPECT_EQ(fixed_threshold("off"), 0U);
  EXPECT_FALSE(fixed_threshold("auto").has_value());
}

TEST(AdaptiveThreshold, IsTheP99OfTheLastMinutes) {
  AdaptiveThreshold threshold;
  AdaptiveThreshold::Time now{};
  analysis::Histogram all;
  EXPECT_TRUE(threshold.is_due(now));
  EXPECT_EQ(threshold.ns(), kThresholdFirstNs);
  threshold.update(now, all);
  EXPECT_FALSE(threshold.is_due(now + seconds(9)));
  EXPECT_EQ(threshold.ns(), kThresholdFirstNs) << "nothing is known yet";
  for (int i = 0; i < 980; i++) all.record(1'000'000);
  for (int i = 0; i < 20; i++) all.record(50'000'000);
  now += seconds(10);
  EXPECT_TRUE(threshold.is_due(now));
  threshold.update(now, all);
  EXPECT_NEAR(static_cast<double>(threshold.ns()), 50e6, 50e6 * 0.045);
  // Five minutes of fast ones later the slow ones do not count any more; never below 1 ms.
  for (int i = 0; i < 40; i++) {
    for (int n = 0; n < 100; n++) all.record(20'000);
    now += seconds(10);
    threshold.update(now, all);
  }
  EXPECT_EQ(threshold.ns(), kThresholdLeastNs);
}

}  // namespace
}  // namespace nz::probes
