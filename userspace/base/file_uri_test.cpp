#include "userspace/base/file_uri.h"

#include <gtest/gtest.h>

namespace nz {
namespace {

TEST(FileUri, WhatWouldEndAPathIsEncoded) {
  EXPECT_EQ(file_uri("/var/lib/a-b_c.db", "?mode=ro"), "file:/var/lib/a-b_c.db?mode=ro");
  EXPECT_EQ(file_uri("/a b?mode=rw#x%", ""), "file:/a%20b%3Fmode%3Drw%23x%25");
  EXPECT_EQ(file_uri("/\xc3\xa9", ""), "file:/%C3%A9");
}

}  // namespace
}  // namespace nz
