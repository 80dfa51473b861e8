#include "userspace/symbols/process_maps.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace nz::symbols {
namespace {

constexpr const char* kMaps =
    "55d0a0000000-55d0a0001000 r--p 00000000 fe:01 1234567                    /opt/a b/gateway\n"
    "55d0a0001000-55d0a0009000 r-xp 00001000 fe:01 1234567                    /opt/a b/gateway\n"
    "7f0000000000-7f0000100000 r-xp 00010000 00:2f 77                         /lib/libx.so "
    "(deleted)\n"
    "7f1000000000-7f1000001000 rwxp 00000000 00:00 0 \n"
    "7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]\n"
    "nonsense\n";

TEST(ProcessMaps, ExecutableRegionsAndWhereTheirFilesAre) {
  const auto regions = parse_maps(kMaps, "/proc/42");
  ASSERT_EQ(regions.size(), 4U);
  EXPECT_EQ(regions[0].name, "gateway");
  EXPECT_EQ(regions[0].path, "/proc/42/root/opt/a b/gateway");
  EXPECT_EQ(regions[0].seen_by_process, "/opt/a b/gateway");
  EXPECT_EQ(regions[0].file, (FileId{0xfe, 1, 1234567}));
  EXPECT_EQ(regions[0].in_file(0x55d0a0001010), 0x1010U);
  EXPECT_EQ(regions[1].path, "/proc/42/map_files/7f0000000000-7f0000100000") << "it was replaced";
  EXPECT_EQ(regions[2].name, "");
  EXPECT_EQ(regions[2].path, "");
  EXPECT_EQ(regions[3].name, "[vdso]");
  EXPECT_EQ(regions[3].path, "");
}

TEST(ProcessMaps, ReadsOnceAndOnlyWhenItMay) {
  ProcessMaps maps;
  const auto here = reinterpret_cast<uint64_t>(&parse_maps);
  bool may_read = false;
  EXPECT_EQ(maps.find(getpid(), here, may_read), nullptr);
  may_read = true;
  const Region* region = maps.find(getpid(), here, may_read);
  ASSERT_NE(region, nullptr);
  EXPECT_FALSE(may_read) << "it was read";
  EXPECT_NE(region->file.inode, 0U);
  may_read = true;
  EXPECT_NE(maps.find(getpid(), here, may_read), nullptr);
  EXPECT_TRUE(may_read) << "it was known";
  EXPECT_EQ(maps.find(getpid(), 1, may_read), nullptr);
  maps.forget(getpid());
  may_read = false;
  EXPECT_EQ(maps.find(getpid(), here, may_read), nullptr);
}

TEST(ProcessMaps, AProcessThatIsGoneHasNone) {
  ProcessMaps maps;
  EXPECT_EQ(maps.find(0x7ffffff0, 4096), nullptr);
  EXPECT_EQ(maps.processes(), 0U);
}

}  // namespace
}  // namespace nz::symbols
