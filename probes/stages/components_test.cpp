#include "probes/stages/components.h"

#include <gtest/gtest.h>

#include <numeric>

namespace nz::probes {
namespace {

constexpr size_t kDisk = static_cast<size_t>(NZ_BLOCKED) + NZ_DISK;

TEST(Components, RunningIsWhatTheOthersLeave) {
  Components components;
  nz_stage_stats stats{};
  stats.component_ns[NZ_RUNNABLE] = 30;
  stats.component_ns[kDisk] = 50;
  stats.torn_ns = 7;
  const auto parts = components.of(3, stats, 1007);
  EXPECT_EQ(parts[NZ_RUNNING], 920U);
  EXPECT_EQ(parts[NZ_RUNNABLE], 30U);
  EXPECT_EQ(parts[kDisk], 50U);
  EXPECT_EQ(std::accumulate(parts.begin(), parts.end(), uint64_t{0}), 1000U) << "all but the torn";
}

TEST(Components, RunningNeverFalls) {
  Components components;
  nz_stage_stats stats{};
  EXPECT_EQ(components.of(0, stats, 500)[NZ_RUNNING], 500U);
  stats.component_ns[NZ_RUNNABLE] = 900;  // of an end that the sum read before does not have
  EXPECT_EQ(components.of(0, stats, 600)[NZ_RUNNING], 500U);
  EXPECT_EQ(components.of(0, stats, 1600)[NZ_RUNNING], 700U);
  EXPECT_EQ(components.of(1, stats, 1600)[NZ_RUNNING], 700U) << "each stage has its own";
}

}  // namespace
}  // namespace nz::probes
