// Draining kernel memory laid out by hand: sums over CPUs, windows of minimum and maximum.
#include "userspace/drain/drain.h"

#include <gtest/gtest.h>

#include <vector>

namespace nz::drain {
namespace {

// What a program does on `cpu` (bpf/include/nearzero/histogram.h).
class DrainTest : public testing::Test {
 protected:
  DrainTest() {
    layout.cpus = 3;
    layout.max_stages = layout.max_statements = layout.max_syscalls = 2;
    hists.resize(size_t{layout.cpus} * layout.series());
    counters.resize(layout.cpus);
  }
  nz_hist& at(uint32_t cpu, uint32_t series) { return hists[cpu * layout.series() + series]; }
  void record(uint32_t cpu, uint32_t series, uint64_t ns) {
    nz_hist& h = at(cpu, series);
    const size_t index = analysis::bucket_index(ns);
    if (index == analysis::kZeroIndex) {
      h.zero++;
    } else if (index == analysis::kOverflowIndex) {
      h.overflow++;
    } else {
      h.bucket[index]++;
    }
    h.sum += ns;
    const uint32_t half = control.epoch & 1U;
    h.max[half] = std::max<uint64_t>(h.max[half], ns);
    h.min_inverted[half] = std::max<uint64_t>(h.min_inverted[half], ~ns);
  }
  Drain drain() { return {layout, hists, counters, control}; }

  loader::Layout layout;
  std::vector<nz_hist> hists;
  std::vector<nz_counters> counters;
  nz_control control{};
};

TEST_F(DrainTest, NothingRecordedIsNothing) {
  Drain d = drain();
  d.flip();
  for (uint32_t s = 0; s < layout.series(); s++) {
    EXPECT_EQ(d.histogram(s), nullptr);
    EXPECT_EQ(d.count(s), 0U);
  }
}

// Two shards of two histograms each, as a probe's own map has them.
TEST_F(DrainTest, AProbesOwnHistogramsAreShardedAndHaveTheSameWindows) {
  Drain d = drain();
  std::vector<nz_hist> own(4);
  d.follow(own);
  const auto keep = [&](nz_hist& h, uint64_t ns) {
    h.bucket[analysis::bucket_index(ns)]++;
    h.sum += ns;
    const uint32_t half = control.epoch & 1U;
    h.max[half] = std::max<uint64_t>(h.max[half], ns);
    h.min_inverted[half] = std::max<uint64_t>(h.min_inverted[half], ~ns);
  };
  keep(own[1], 1000);
  keep(own[3], 9000);
  keep(own[3], 5000);
  d.flip();
  EXPECT_EQ(d.histogram(own, 2, 0), nullptr);
  EXPECT_EQ(Drain::count(own, 2, 0), 0U);
  EXPECT_EQ(Drain::count(own, 2, 1), 3U);
  EXPECT_EQ(d.histogram(own, 2, 1)->sum_ns, 15000U);
  EXPECT_EQ(d.histogram(own, 2, 1)->max_ns, 9000U);
  EXPECT_EQ(d.histogram(own, 2, 1)->min_ns, 1000U);
  keep(own[1], 2000);
  d.flip();
  EXPECT_EQ(d.histogram(own, 2, 1)->max_ns, 2000U) << "of the last window alone";
  EXPECT_EQ(d.histogram(own, 2, 1)->min_ns, 2000U);
  EXPECT_EQ(d.histogram(own, 2, 1)->sum_ns, 17000U) << "since the start";
}

TEST_F(DrainTest, AddsUpCpusAndTouchesNoNeighbour) {
  Drain d = drain();
  analysis::Histogram truth;
  for (const auto& [cpu, ns] : std::vector<std::pair<uint32_t, uint64_t>>{
           {0, 1000}, {0, 1000}, {1, 50}, {2, 5'000'000}, {2, 300'000'000'000}, {1, 59}, {2, 60}}) {
    record(cpu, 5, ns);
    truth.record(ns);
  }
  record(0, 4, 7777);
  record(2, 6, 8888);
  d.flip();
  const auto h = d.histogram(5);
  ASSERT_NE(h, nullptr);
  EXPECT_EQ(*h, truth);
  EXPECT_EQ(d.count(5), 7U);
  EXPECT_EQ(d.histogram(4)->sum_ns, 7777U);
  EXPECT_EQ(d.histogram(6)->sum_ns, 8888U);
  EXPECT_EQ(d.histogram(3), nullptr);
}

TEST_F(DrainTest, CountsAccumulateWhileMinimumAndMaximumBelongToTheWindow) {
  Drain d = drain();
  record(0, 1, 500);
  record(1, 1, 900);
  d.flip();
  EXPECT_EQ(d.histogram(1)->min_ns, 500U);
  EXPECT_EQ(d.histogram(1)->max_ns, 900U);
  record(2, 1, 700);
  EXPECT_EQ(d.histogram(1)->max_ns, 900U) << "the window that runs is not shown yet";
  d.flip();
  EXPECT_EQ(d.histogram(1)->min_ns, 700U);
  EXPECT_EQ(d.histogram(1)->max_ns, 700U);
  EXPECT_EQ(d.histogram(1)->count(), 3U);
  d.flip();
  EXPECT_EQ(d.histogram(1)->min_ns, 0U) << "nothing in this window";
  EXPECT_EQ(d.histogram(1)->max_ns, 0U);
  EXPECT_EQ(d.histogram(1)->count(), 3U);
  record(0, 1, 100);
  d.flip();
  EXPECT_EQ(d.histogram(1)->min_ns, 100U);
  EXPECT_EQ(d.histogram(1)->max_ns, 100U);
}

TEST_F(DrainTest, AMinimumOfZeroIsAMinimum) {
  Drain d = drain();
  record(0, 1, 0);
  record(1, 1, 100);
  d.flip();
  EXPECT_EQ(d.histogram(1)->min_ns, 0U);
  EXPECT_EQ(d.histogram(1)->max_ns, 100U);
  EXPECT_EQ(d.histogram(1)->count(), 2U);
}

TEST_F(DrainTest, OnlyZerosAreStillValues) {
  Drain d = drain();
  record(0, 1, 0);
  d.flip();
  ASSERT_NE(d.histogram(1), nullptr);
  EXPECT_EQ(d.histogram(1)->zero, 1U);
}

TEST_F(DrainTest, AProgramThatReadTheEpochBeforeTheFlipIsInTheOldWindow) {
  Drain d = drain();
  record(0, 1, 500);
  const uint32_t old_epoch = control.epoch;
  d.flip();
  // Late by one flip: it still writes the half that is being read, which is cleared one flip later.
  at(0, 1).max[old_epoch & 1U] = 600;
  EXPECT_EQ(d.histogram(1)->max_ns, 600U);
  d.flip();
  d.flip();
  EXPECT_EQ(d.histogram(1)->max_ns, 0U);
}

TEST_F(DrainTest, CountersAddUpCpusFieldByField) {
  counters[0].switches = 5;
  counters[2].switches = 7;
  counters[1].slot_switches[3] = 11;
  counters[2].drops[NZ_DROPS - 1] = 13;
  const nz_counters sum = drain().counters();
  EXPECT_EQ(sum.switches, 12U);
  EXPECT_EQ(sum.slot_switches[3], 11U);
  EXPECT_EQ(sum.drops[NZ_DROPS - 1], 13U);
  EXPECT_EQ(sum.drops[0], 0U);
}

TEST_F(DrainTest, SumsRowsByStride) {
  struct Row {
    uint64_t a, b;
  };
  const std::vector<Row> map{{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}, {11, 12}};
  const Row row = drain().sum<Row>(map, 2, 1);
  EXPECT_EQ(row.a, 3U + 7 + 11);
  EXPECT_EQ(row.b, 4U + 8 + 12);
}

}  // namespace
}  // namespace nz::drain
