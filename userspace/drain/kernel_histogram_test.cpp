// The kernel's histogram (bpf/include/nearzero/histogram.h), compiled for userspace as it stands,
// held against analysis::bucket_index, the reference, at every seam.
#include <gtest/gtest.h>

#include <random>

#include "analysis/histogram.h"
#include "userspace/drain/drain.h"
#include "userspace/drain/fixtures/kernel_histogram.h"

extern "C" {
volatile nz_u64 nz_bound_ns[NZ_BUCKETS];
}

namespace nz::drain {
namespace {

class KernelHistogram : public testing::Test {
 protected:
  KernelHistogram() {
    for (size_t i = 0; i < NZ_BUCKETS; i++) nz_bound_ns[i] = analysis::upper_bound_ns(i);
  }
  static void same_bucket(uint64_t ns) {
    ASSERT_EQ(nz_test_bucket_of(ns), analysis::bucket_index(ns)) << ns << " ns";
  }
};

TEST_F(KernelHistogram, EveryBoundaryOneBelowAndOneAbove) {
  int checked = 0;
  for (size_t i = 0; i < NZ_BUCKETS; i++) {
    const uint64_t bound = analysis::upper_bound_ns(i);
    for (const uint64_t ns : {bound - 1, bound, bound + 1}) {
      if (ns <= analysis::zero_threshold_ns() || ns > analysis::upper_bound_ns(NZ_BUCKETS - 1))
        continue;
      same_bucket(ns);
      checked++;
    }
    EXPECT_EQ(nz_test_bucket_of(bound), i) << "the boundary belongs to its bucket";
    if (i + 1 < NZ_BUCKETS) {
      EXPECT_EQ(nz_test_bucket_of(bound + 1), i + 1);
    }
  }
  EXPECT_EQ(checked, 3 * NZ_BUCKETS - 1) << "all but the value above the last boundary";
}

TEST_F(KernelHistogram, EveryValueUpToTwoMilliseconds) {
  for (uint64_t ns = analysis::zero_threshold_ns() + 1; ns <= 2'000'000; ns++) same_bucket(ns);
}

TEST_F(KernelHistogram, RandomValuesOfEveryOctave) {
  std::mt19937_64 random(7);
  for (int bits = 6; bits < 38; bits++) {
    for (int i = 0; i < 20'000; i++) {
      const uint64_t ns = (uint64_t{1} << bits) + random() % (uint64_t{1} << bits);
      if (ns > analysis::zero_threshold_ns() && ns <= analysis::upper_bound_ns(NZ_BUCKETS - 1))
        same_bucket(ns);
    }
  }
}

TEST_F(KernelHistogram, RecordsLikeTheReferenceAtomicOrNot) {
  for (const int atomic : {0, 1}) {
    nz_hist memory{};
    analysis::Histogram truth;
    std::vector<uint64_t> values{
        0, 1, 58, 59, 60, 61, 255'999'999'999, 256'000'000'000, 256'000'000'001, 1'000'000'000'000};
    for (size_t i = 0; i < NZ_BUCKETS; i++) values.push_back(analysis::upper_bound_ns(i));
    for (const uint64_t ns : values) {
      nz_test_record(&memory, ns, atomic);
      truth.record(ns);
    }
    loader::Layout layout;
    std::vector<nz_hist> map(layout.series());
    map[3] = memory;
    nz_counters counters{};
    nz_control control{};
    Drain drain(layout, map, {&counters, 1}, control);
    drain.flip();
    const auto drained = drain.histogram(3);
    ASSERT_NE(drained, nullptr);
    EXPECT_EQ(*drained, truth) << "atomic " << atomic;
    EXPECT_EQ(drained->zero, 4U);
    EXPECT_EQ(drained->overflow, 2U);
  }
}

}  // namespace
}  // namespace nz::drain
