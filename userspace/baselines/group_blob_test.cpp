#include "userspace/baselines/group_blob.h"

#include <gtest/gtest.h>

namespace nz::baselines {
namespace {

analysis::Quantity quantity(const std::string& stage) {
  return {"nearzero_order_stage_duration_seconds",
          {{"target", "demo"}, {"stage", stage}},
          "p99",
          "seconds"};
}

std::vector<KnownSeries> group() {
  return {{quantity("risk"), 1'700'000'000.5, std::string("\x00\x01\xff", 3)},
          {quantity("a \"quoted\" one"), 1, ""}};
}

std::vector<WaitingHours> waiting() {
  analysis::HourSummary hour;
  hour.hour = 472'222;
  hour.median = -6.9F;
  hour.spread = 0.1F;
  hour.points = 60;
  analysis::HourSummary next = hour;
  next.hour++;
  next.held = true;
  return {{quantity("risk"), {hour, next}}};
}

TEST(GroupBlob, ComesBackAsItWas) {
  const auto back = group_from(blob_of(group()));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), 2U);
  for (std::size_t i = 0; i < 2; i++) {
    EXPECT_EQ(analysis::text_of((*back)[i].of), analysis::text_of(group()[i].of));
    EXPECT_EQ((*back)[i].of.unit, "seconds");
    EXPECT_EQ((*back)[i].last, group()[i].last);
    EXPECT_EQ((*back)[i].hours, group()[i].hours);
  }
  const auto hours = waiting_from(blob_of(waiting()));
  ASSERT_TRUE(hours);
  ASSERT_EQ(hours->size(), 1U);
  ASSERT_EQ((*hours)[0].hours.size(), 2U);
  EXPECT_EQ((*hours)[0].hours[0].median, -6.9F);
  EXPECT_EQ((*hours)[0].hours[0].points, 60);
  EXPECT_FALSE((*hours)[0].hours[0].held);
  EXPECT_TRUE((*hours)[0].hours[1].held);
  EXPECT_EQ((*hours)[0].hours[1].hour, 472'223);
}

TEST(GroupBlob, DamagedOnesAreRefused) {
  const std::string one = blob_of(group()), other = blob_of(waiting());
  for (std::size_t n = 0; n < one.size(); n++) EXPECT_FALSE(group_from(one.substr(0, n))) << n;
  for (std::size_t n = 0; n < other.size(); n++)
    EXPECT_FALSE(waiting_from(other.substr(0, n))) << n;
  EXPECT_FALSE(group_from(one + "x"));
  EXPECT_FALSE(group_from(std::string(100, '\xff')));
  EXPECT_FALSE(waiting_from(std::string(100, '\xff')));
}

}  // namespace
}  // namespace nz::baselines
