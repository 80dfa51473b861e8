#include "userspace/store/accumulator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "userspace/store/rollup.h"
#include "userspace/store/test_store.h"
#include "userspace/store/total.h"

namespace nz::store {
namespace {

using testing::after;
using testing::counter;
using testing::FamilyList;
using testing::gauge;
using testing::histogram;

constexpr std::int64_t kStart = testing::kMidnightMs;

class AccumulatorTest : public ::testing::Test {
 protected:
  // Names of series, by number.
  std::vector<std::string> names;
  Accumulator accumulator{10'000, [this](const history::Series& s) -> std::optional<std::uint32_t> {
                            if (s.name == "unwanted") return std::nullopt;
                            const auto at = std::find(names.begin(), names.end(), s.name);
                            const auto n = static_cast<std::uint32_t>(at - names.begin());
                            if (at == names.end()) names.push_back(s.name);
                            return n;
                          }};
  std::vector<Row> rows;

  void add(std::int64_t ms, const FamilyList& families) { add(ms, ms, families); }
  void add(std::int64_t unix_ms, std::int64_t boot_ms, const FamilyList& families) {
    if (auto row = accumulator.add({kStart + unix_ms, boot_ms}, families))
      rows.push_back(std::move(*row));
  }
  const Cell* cell(std::size_t row, const std::string& name) const {
    for (const auto& [id, cell] : rows.at(row).cells) {
      if (names.at(id) == name) return &cell;
    }
    return nullptr;
  }
};

TEST_F(AccumulatorTest, IntervalsEndAtMultiplesAndTheFirstDrainIsOnlyABegin) {
  for (int s = 3; s <= 31; s++) add(s * 1000 + 370, {counter("c", 100 + s), gauge("g", s % 7)});
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].interval, (Interval{kStart + 3370, kStart + 10'370}));
  EXPECT_EQ(rows[1].interval, (Interval{kStart + 10'370, kStart + 20'370}));
  EXPECT_EQ(rows[2].interval.to, kStart + 30'370);
  EXPECT_EQ(cell(0, "c")->growth, 7) << "what it was before is nobody's";
  EXPECT_EQ(cell(1, "c")->growth, 10);
  EXPECT_EQ(cell(1, "c")->value, 120);
  // 11..20 modulo 7: 4 5 6 0 1 2 3 4 5 6.
  EXPECT_EQ(cell(1, "g")->value, 6);
  EXPECT_EQ(cell(1, "g")->least, 0);
  EXPECT_EQ(cell(1, "g")->most, 6);
  EXPECT_DOUBLE_EQ(cell(1, "g")->mean, 3.6);
  EXPECT_EQ(cell(1, "nearzero_store_drains")->value, 10);
}

TEST_F(AccumulatorTest, ASeriesThatAppearsLaterBeginsAtZero) {
  add(1000, {counter("c", 5)});
  add(2000, {counter("c", 5), counter("d", 3)});
  add(10'000, {counter("c", 5), counter("d", 4)});
  EXPECT_EQ(cell(0, "d")->growth, 4);
  EXPECT_EQ(cell(0, "c")->growth, 0);
}

TEST_F(AccumulatorTest, ARestartLosesNothingThatWasSeen) {
  add(1000, {counter("c", 100), histogram("h", after({}, {1'000, 2'000}))});
  add(2000, {counter("c", 130), histogram("h", after(after({}, {1'000, 2'000}), {4'000}))});
  add(3000, {counter("c", 7), histogram("h", after({}, {500, 600}))});  // restarted
  add(10'000, {counter("c", 9), histogram("h", after(after({}, {500, 600}), {9'000}))});
  EXPECT_EQ(cell(0, "c")->growth, 39);
  EXPECT_EQ(cell(0, "c")->value, 9);
  Total total;
  total.add(rows[0].interval, *cell(0, "h"));
  const analysis::Histogram h = total.histogram();
  EXPECT_EQ(h.count(), 4U);
  EXPECT_EQ(h.sum_ns, 4'000U + 500 + 600 + 9'000);
  EXPECT_EQ(h.min_ns, 500U);
  EXPECT_EQ(h.max_ns, 9'000U);
}

TEST_F(AccumulatorTest, HistogramsHoldTheValuesOfTheIntervalWithItsExtremes) {
  analysis::Histogram h;
  for (int s = 0; s <= 20; s++) {
    h = after(h, {s == 13 ? 777'777U : 1'000U + static_cast<unsigned>(s)});
    add(s * 1000 + 1, {histogram("h", h)});
  }
  ASSERT_EQ(rows.size(), 2U);
  Total total;
  total.add(rows[1].interval, *cell(1, "h"));
  EXPECT_EQ(total.histogram().count(), 10U);
  EXPECT_EQ(total.histogram().max_ns, 777'777U);
  EXPECT_EQ(total.histogram().min_ns, 1'011U);
  add(30'001, {histogram("h", h)});
  EXPECT_TRUE(cell(2, "h")->slots.empty()) << "nothing came";
}

TEST_F(AccumulatorTest, WhatIsNotThereHasNoCell) {
  add(1000, {gauge("g", 1), counter("c", 1)});
  add(10'000, {gauge("g", 1), counter("c", 2)});
  add(20'000, {counter("c", 3)});
  add(30'000, {gauge("g", 4), counter("c", 4)});
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(cell(1, "g"), nullptr);
  EXPECT_EQ(cell(2, "g")->least, 4);
  EXPECT_EQ(cell(2, "c")->growth, 1);
}

TEST_F(AccumulatorTest, AClockThatIsSetEndsTheIntervalAndIsTold) {
  add(1000, 1000, {counter("c", 0)});
  for (int s = 2; s <= 5; s++) add(s * 1000, s * 1000, {counter("c", s)});
  EXPECT_EQ(accumulator.take_jump(), 0);
  add(-3'594'000, 6000, {counter("c", 6)});  // set back by an hour
  EXPECT_EQ(accumulator.take_jump(), -3'600'000);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].interval, (Interval{kStart + 1000, kStart + 5000}));
  EXPECT_EQ(cell(0, "c")->growth, 5);
  for (int s = 7; s <= 10; s++) add(s * 1000 - 3'600'000, s * 1000, {counter("c", s)});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].interval, (Interval{kStart - 3'595'000, kStart - 3'590'000}));
  EXPECT_EQ(cell(1, "c")->growth, 5) << "none is lost, none counted twice";
  add(86'400'000, 11'000, {counter("c", 11)});  // and a day forward
  EXPECT_EQ(accumulator.take_jump(), 86'400'000 - 11'000 + 3'600'000);
}

TEST_F(AccumulatorTest, TimeThatWentByIsNoJump) {
  add(1000, {counter("c", 0)});
  add(3'601'000, {counter("c", 3600)});  // the agent was stopped for an hour
  EXPECT_EQ(accumulator.take_jump(), 0);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].interval, (Interval{kStart + 1000, kStart + 3'601'000}));
  EXPECT_EQ(cell(0, "c")->growth, 3600);
}

TEST_F(AccumulatorTest, WhatIsNoNumberOrNotWantedIsLeftOut) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  add(1000, {counter("c", 5), counter("unwanted", 5), gauge("g", 1)});
  add(2000, {counter("c", nan), gauge("g", nan)});
  add(10'000, {counter("c", 8), gauge("g", 3)});
  EXPECT_EQ(accumulator.take_left_out(), 1U);
  EXPECT_EQ(cell(0, "c")->growth, 3);
  EXPECT_EQ(cell(0, "g")->value, 3);
  EXPECT_EQ(cell(0, "unwanted"), nullptr);
}

TEST_F(AccumulatorTest, AMeanIsThatOfTheNumbersAlone) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  add(1000, {gauge("g", 99), gauge("never", nan)});
  for (const int s : {2, 3, 4})
    add(s * 1000, {gauge("g", s == 3 ? nan : 10.0 * s), gauge("never", nan)});
  add(10'000, {gauge("g", 30), gauge("never", nan)});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(cell(0, "g")->least, 20);
  EXPECT_EQ(cell(0, "g")->most, 40);
  EXPECT_DOUBLE_EQ(cell(0, "g")->mean, 30) << "of 20, 40 and 30";
  EXPECT_EQ(cell(0, "g")->value, 30);
  EXPECT_TRUE(std::isnan(cell(0, "never")->mean));
  EXPECT_TRUE(std::isnan(cell(0, "never")->most));
}

TEST_F(AccumulatorTest, FinishGivesWhatIsInProgress) {
  EXPECT_FALSE(accumulator.finish());
  add(1000, {counter("c", 5)});
  EXPECT_FALSE(accumulator.finish()) << "a begin is no interval";
  add(4000, {counter("c", 6)});
  const auto row = accumulator.finish();
  ASSERT_TRUE(row);
  EXPECT_EQ(row->interval, (Interval{kStart + 1000, kStart + 4000}));
  EXPECT_FALSE(accumulator.finish());
}

TEST_F(AccumulatorTest, WhatHasGoneForAnHourIsForgotten) {
  add(1000, {counter("c", 1), counter("old", 9)});
  add(10'000, {counter("c", 1), counter("old", 9)});
  EXPECT_EQ(accumulator.series(), 2U);
  for (int i = 2; i < 500; i++) add(i * 10'000, {counter("c", i)});
  EXPECT_EQ(accumulator.series(), 1U);
}

TEST_F(AccumulatorTest, WhatWasCountedInALongAbsenceIsOfNoInterval) {
  const analysis::Histogram two = after({}, {1'000, 2'000});
  const FamilyList before{counter("c", 1), counter("on", 1000), counter("again", 1000),
                          histogram("h", two), histogram("fresh", two)};
  add(1000, before);
  add(10'000, before);
  for (int i = 2; i < 500; i++) add(i * 10'000, {counter("c", i)});
  const analysis::Histogram five = after(two, {3'000, 4'000, 5'000});
  const analysis::Histogram one = after({}, {7'000});
  const auto back = [&](double on, double again, const analysis::Histogram& h) {
    return FamilyList{counter("c", 500), counter("on", on), counter("again", again),
                      histogram("h", h), histogram("fresh", one)};
  };
  add(5'000'000, back(9000, 3, five));
  const std::size_t last = rows.size() - 1;
  EXPECT_EQ(cell(last, "on")->growth, 0) << "when it grew is not known";
  EXPECT_EQ(cell(last, "on")->value, 9000);
  EXPECT_EQ(cell(last, "again")->growth, 3) << "it began at 0 meanwhile";
  EXPECT_TRUE(cell(last, "h")->slots.empty());
  const auto values_of = [&](std::size_t row, const char* name) {
    Total total;
    total.add(rows.at(row).interval, *cell(row, name));
    return total.histogram();
  };
  EXPECT_EQ(values_of(last, "fresh").count(), 1U);
  add(5'010'000, back(9007, 4, after(five, {6'000})));
  EXPECT_EQ(cell(last + 1, "on")->growth, 7);
  EXPECT_EQ(cell(last + 1, "again")->growth, 1);
  EXPECT_EQ(values_of(last + 1, "h").count(), 1U);
  EXPECT_EQ(values_of(last + 1, "h").min_ns, 6'000U);
}

Row row_of(std::int64_t from, std::int64_t to, double value, double growth) {
  Cell c;
  c.type = metrics::Type::counter;
  c.value = value;
  c.growth = growth;
  return {{kStart + from, kStart + to}, {{7, c}}};
}

TEST(Rollup, HoldsWholeStretchesAndEndsAtHoles) {
  Rollup minutes(Level::minute);
  std::vector<Row> done;
  const auto feed = [&](const Row& row) {
    if (auto ended = minutes.end_before(row.interval)) done.push_back(std::move(*ended));
    minutes.add(row);
    if (auto ended = minutes.end_if_complete()) done.push_back(std::move(*ended));
  };
  for (int i = 0; i < 9; i++) feed(row_of(i * 10'000 + 370, i * 10'000 + 10'370, 10.0 * i, 10));
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].interval, (Interval{kStart + 370, kStart + 60'370}));
  EXPECT_EQ(done[0].cells.at(0).second.growth, 60);
  EXPECT_EQ(done[0].cells.at(0).second.value, 50);
  feed(row_of(200'000, 210'000, 5, 5));  // a hole
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[1].interval, (Interval{kStart + 60'370, kStart + 90'370}));
  EXPECT_EQ(done[1].cells.at(0).second.growth, 30);
  const auto rest = minutes.finish();
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->interval, (Interval{kStart + 200'000, kStart + 210'000}));
  EXPECT_FALSE(minutes.finish());
}

}  // namespace
}  // namespace nz::store
