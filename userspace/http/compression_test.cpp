#include "userspace/http/compression.h"

#include <gtest/gtest.h>

namespace nz::http {
namespace {

TEST(AcceptsGzip, FollowsNamesAndQualityValues) {
  EXPECT_TRUE(accepts_gzip("gzip"));
  EXPECT_TRUE(accepts_gzip("deflate, GZIP"));
  EXPECT_TRUE(accepts_gzip("gzip;q=0.1"));
  EXPECT_TRUE(accepts_gzip("*"));
  EXPECT_TRUE(accepts_gzip("br;q=1.0, gzip; q=0.5, *;q=0"));
  EXPECT_FALSE(accepts_gzip(""));
  EXPECT_FALSE(accepts_gzip("identity"));
  EXPECT_FALSE(accepts_gzip("gzip;q=0"));
  EXPECT_FALSE(accepts_gzip("gzip; q=0.000, *"));
  EXPECT_FALSE(accepts_gzip("gzipped"));
}

TEST(Gzip, EmptyBodyIsAValidStream) {
  const auto compressed = gzip("");
  ASSERT_TRUE(compressed);
  EXPECT_EQ(compressed->substr(0, 2), "\x1f\x8b");
}

}  // namespace
}  // namespace nz::http
