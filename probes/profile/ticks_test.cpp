#include "probes/profile/ticks.h"

#include <gtest/gtest.h>

namespace nz::probes::profile {
namespace {

using Cpus = std::vector<uint32_t>;

TEST(Ticks, ReadsTheKernelsListsOfCpus) {
  EXPECT_EQ(parse_cpus("0"), Cpus{0});
  EXPECT_EQ(parse_cpus("0-3"), (Cpus{0, 1, 2, 3}));
  EXPECT_EQ(parse_cpus("0-1,4,6-7"), (Cpus{0, 1, 4, 6, 7}));
  for (const char* none : {"", "x", "3-1", "0-99999999", "0;1", "1-", "-1"})
    EXPECT_TRUE(parse_cpus(none).empty()) << none;
}

}  // namespace
}  // namespace nz::probes::profile
