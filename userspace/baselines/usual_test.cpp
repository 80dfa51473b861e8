#include "userspace/baselines/usual.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "userspace/baselines/keys.h"
#include "userspace/baselines/test_days.h"
#include "userspace/store/test_store.h"

namespace nz::baselines {
namespace {

using analysis::Basis;
using store::testing::Folder;
using store::testing::open_store;
using testing::Days;
using testing::kDay;
using testing::kHour;
using testing::kMonday;
using testing::p99_of;
using testing::usual_seconds;

/// All hours that the store has of the series, in one baseline.
std::size_t hours_on_disk(const store::Store& store) {
  std::size_t hours = 0;
  for (std::size_t group = 0; group < 64; group++) {
    const auto blob = store.get_state(group_key(group));
    if (!blob) continue;
    const auto all = group_from(*blob);
    EXPECT_TRUE(all);
    for (const KnownSeries& series : *all) {
      const auto known = analysis::HourOfWeek::from_blob(series.hours, {});
      EXPECT_TRUE(known);
      hours += known->hours();
    }
  }
  return hours;
}

TEST(Usual, RulesKnowItAfterFourDaysOfAKind) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Days days(*store);
  const double thursday = kMonday + 3 * kDay + 10.5 * kHour;
  days.run(kMonday, thursday);
  const auto early = days.usual.expected(p99_of("risk"), thursday);
  ASSERT_TRUE(early) << "three days tell something";
  EXPECT_EQ(early->basis, Basis::all);
  EXPECT_FALSE(days.usual.value(p99_of("risk"), thursday)) << "but no rule is judged by it";
  const double friday = thursday + kDay;
  days.run(thursday, friday);
  const auto value = days.usual.value(p99_of("risk"), friday);
  ASSERT_TRUE(value);
  EXPECT_NEAR(value->middle / usual_seconds(friday), 1, 0.05);
  EXPECT_GT(value->spread, 0);
  EXPECT_LT(value->spread, 0.2 * value->middle);
  const double sunday = friday + 2 * kDay;
  days.run(friday, sunday);
  EXPECT_TRUE(days.usual.expected(p99_of("risk"), sunday));
  EXPECT_FALSE(days.usual.value(p99_of("risk"), sunday)) << "one Saturday is no weekend";
  EXPECT_FALSE(days.usual.expected(p99_of("other"), sunday));
  EXPECT_EQ(days.usual.series(), 1U);
  EXPECT_EQ(days.usual.errors(), 0U);
}

TEST(Usual, LabelsMayComeInAnyOrder) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Days days(*store);
  days.run(kMonday, kMonday + 2 * kDay);
  analysis::Quantity other = p99_of("risk");
  std::reverse(other.labels.begin(), other.labels.end());
  EXPECT_TRUE(days.usual.expected(other, kMonday + 2 * kDay));
  other.labels.pop_back();
  EXPECT_FALSE(days.usual.expected(other, kMonday + 2 * kDay));
}

TEST(Usual, OutlivesARestartWithTheHoursOfTheDay) {
  const Folder folder;
  const double end = kMonday + 5 * kDay + 15.5 * kHour;
  auto store = open_store({.path = folder.file()});
  std::optional<analysis::Expected> before;
  {
    Days days(*store);
    days.run(kMonday, end);
    before = days.usual.expected(p99_of("risk"), end);
    ASSERT_TRUE(before);
  }
  ASSERT_TRUE(store->flush());
  store.reset();
  store = open_store({.path = folder.file()});
  Days days(*store);
  EXPECT_FALSE(days.usual.expected(p99_of("risk"), end)) << "nobody has read it yet";
  days.usual.work(end);
  const auto after = days.usual.expected(p99_of("risk"), end);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->basis, before->basis);
  EXPECT_NEAR(after->median, before->median, 0.02 * before->median);
  // Hour by hour: right after its turn came, all that has passed is there, what waited before the
  // restart as well.
  std::int64_t missing = 1000;
  for (double at = end; at < end + 7 * kHour; at += kHour) {
    days.run(at, at + kHour);
    const auto passed = static_cast<std::int64_t>((at + kHour - kMonday) / kHour);
    missing = std::min(missing, passed - static_cast<std::int64_t>(hours_on_disk(*store)));
  }
  EXPECT_EQ(missing, 0);
}

TEST(Usual, ARegressionDoesNotTeachIt) {
  analysis::Regression open;
  open.of = p99_of("risk");
  const double since = kMonday + 4 * kDay;
  open.since = open.earliest = open.latest = since;
  const double end = kMonday + 10 * kDay + 10.5 * kHour;  // Thursday
  const auto slow = [](double at) { return 2 * usual_seconds(at); };
  for (const bool told : {true, false}) {
    const Folder folder;
    auto store = open_store({.path = folder.file()});
    Days days(*store);
    days.run(kMonday, since);
    // It is told after half an hour; what was learnt meanwhile is taken back.
    days.run(since, since + 1800, slow);
    Troubles troubles;
    if (told) troubles.regressions.push_back(open);
    days.run(since + 1800, end, slow, {"risk"}, troubles);
    const auto value = days.usual.value(p99_of("risk"), end);
    ASSERT_TRUE(value);
    const double factor = value->middle / usual_seconds(end);
    if (told) {
      EXPECT_NEAR(factor, 1, 0.05);
    } else {
      EXPECT_GT(factor, 1.2) << "what nobody told is learnt";
    }
  }
}

TEST(Usual, IsBounded) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Days days(*store, 2);
  days.run(kMonday, kMonday + kHour, usual_seconds, {"a", "b", "c", "d"});
  EXPECT_EQ(days.usual.series(), 2U);
  EXPECT_EQ(days.usual.left_out(), 2U);
  // What is gone for long makes room.
  days.run(kMonday + kHour, kMonday + 30 * kDay, usual_seconds, {"c"});
  EXPECT_EQ(days.usual.left_out(), 0U);
  EXPECT_TRUE(days.usual.expected(p99_of("c"), kMonday + 30 * kDay));
}

TEST(Usual, AClockThatIsSetBackIsFollowed) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Days days(*store);
  days.run(kMonday + 365 * kDay, kMonday + 367 * kDay);
  days.run(kMonday, kMonday + 2 * kDay, [](double) { return 5e-3; });
  const auto expected = days.usual.expected(p99_of("risk"), kMonday + 2 * kDay);
  ASSERT_TRUE(expected);
  EXPECT_NEAR(expected->median, 5e-3, 1e-4);
  EXPECT_EQ(days.usual.lost_hours(), 0U);
}

TEST(Usual, WithoutAFileNothingIsLearntAndErrorsAreCounted) {
  const Folder folder;
  auto store = open_store({.path = folder.path() + "/not/there/history.db"});
  Days days(*store);
  days.run(kMonday, kMonday + kHour);
  EXPECT_EQ(days.usual.series(), 0U);
  EXPECT_GT(days.usual.errors(), 0U);
}

TEST(Usual, DamagedRowsAreLearntAnew) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  for (std::size_t group = 0; group < 64; group++) {
    auto put = store->put_state(group_key(group), "no group");
    ASSERT_TRUE(put);
  }
  Days days(*store);
  days.run(kMonday, kMonday + 2 * kDay);
  EXPECT_GE(days.usual.errors(), 64U);
  EXPECT_TRUE(days.usual.expected(p99_of("risk"), kMonday + 2 * kDay));
}

TEST(Usual, TellsWhatIsFarFromIt) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Days days(*store);
  const double morning = kMonday + 4 * kDay + 10 * kHour;
  days.run(kMonday, morning, usual_seconds, {"risk", "send"});
  days.run(morning, morning + 1500, [](double at) { return 3 * usual_seconds(at); }, {"risk"});
  const auto against = days.usual.against_usual();
  ASSERT_FALSE(against.empty());
  EXPECT_EQ(analysis::text_of(against[0].of), analysis::text_of(p99_of("risk")));
  EXPECT_NEAR(against[0].value / against[0].usual.median, 3, 0.2);
  EXPECT_GT(against[0].value, against[0].usual.high);
  EXPECT_NEAR(against[0].at, morning + 1500, 300);
}

}  // namespace
}  // namespace nz::baselines
