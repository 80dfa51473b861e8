#include "userspace/agent/forecasts.h"

#include <gtest/gtest.h>

#include "userspace/history/test_families.h"
#include "userspace/rest/fake_source.h"

namespace nz::agent {
namespace {

using history::testing::gauge;
using rest::testing::kStart;

constexpr double kEnd = kStart + 1200;

// A disk of 100 GB that loses 1 GB a minute; after twenty minutes 30 GB are left.
class Disk : public rest::Source {
 public:
  Disk() {
    for (int s = 0; s <= 1200; s += 10) {
      history_.add(kStart + s, {gauge("nearzero_filesystem_bytes", 50e9 - s * 1e9 / 60,
                                      {{"mount", "/var"}, {"device", "d"}, {"kind", "available"}}),
                                gauge("nearzero_filesystem_bytes", 100e9,
                                      {{"mount", "/var"}, {"device", "d"}, {"kind", "size"}})});
    }
  }
  [[nodiscard]] const history::History& history() const override { return history_; }
  [[nodiscard]] std::shared_ptr<const rest::View> view() const override {
    return std::make_shared<const rest::View>();
  }

 private:
  history::History history_{{.resolution = 10, .length = 3600}};
};

double value(const Forecasts& forecasts, const std::string& family) {
  std::vector<metrics::Family> families;
  forecasts.collect(families);
  for (const metrics::Family& f : families) {
    if (f.name == family) return f.samples.at(0).value;
  }
  return -1;
}

TEST(Forecasts, AreHandedOverAndCounted) {
  const Disk disk;
  Forecasts forecasts(disk);
  EXPECT_EQ(forecasts.list(), nullptr);
  forecasts.step(kEnd);
  const auto list = forecasts.list();
  ASSERT_NE(list, nullptr);
  ASSERT_EQ(list->size(), 1U);
  EXPECT_EQ(list->at(0).what, "space of /var");
  EXPECT_NEAR(*list->at(0).likeliest, kEnd + 30 * 60, 60);
  EXPECT_EQ(value(forecasts, "nearzero_limits_watched"), 1);
  EXPECT_EQ(value(forecasts, "nearzero_limits_in_sight"), 1);
  EXPECT_EQ(value(forecasts, "nearzero_limits_dropped_total"), 0);
  forecasts.step(kEnd + 10);
  EXPECT_EQ(forecasts.list(), list) << "not looked at each time";
}

}  // namespace
}  // namespace nz::agent
