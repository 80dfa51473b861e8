// Names of disks from a sysfs laid out by hand.
#include "probes/block_names.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "nearzero/block.h"

namespace nz::probes {
namespace {

namespace fs = std::filesystem;

class BlockNames : public testing::Test {
 protected:
  BlockNames() {
    fs::create_directories(sys_ + "/dev/block");
    fs::create_directories(sys_ + "/block");
  }
  ~BlockNames() override { fs::remove_all(sys_); }
  void add(const std::string& name, const std::string& numbers) {
    fs::create_directories(sys_ + "/block/" + name);
    std::ofstream(sys_ + "/block/" + name + "/dev") << numbers << "\n";
    fs::create_symlink("../../devices/virtual/block/" + name, sys_ + "/dev/block/" + numbers);
  }

  std::string sys_ = testing::TempDir() + "nearzero-sys-" + std::to_string(getpid());
};

TEST_F(BlockNames, ADiskHasItsNameAndOneThatIsGoneItsNumbers) {
  add("nvme0n1", "259:3");
  EXPECT_EQ(block_device_name(NZ_BLOCK_NUMBER(259, 3), sys_), "nvme0n1");
  EXPECT_EQ(block_device_name(NZ_BLOCK_NUMBER(259, 4), sys_), "259:4");
  EXPECT_EQ(block_device_name(NZ_BLOCK_NUMBER(8, 1048575), sys_), "8:1048575");
}

TEST_F(BlockNames, DisksComeBeforeWhatIsMadeOfFilesAndMemory) {
  add("loop0", "7:0");
  add("zram0", "253:0");
  add("sda", "8:0");
  add("vda", "254:0");
  fs::create_directories(sys_ + "/block/broken");  // without `dev`
  EXPECT_EQ(block_devices(sys_),
            (std::vector<uint64_t>{NZ_BLOCK_NUMBER(8, 0), NZ_BLOCK_NUMBER(254, 0),
                                   NZ_BLOCK_NUMBER(7, 0), NZ_BLOCK_NUMBER(253, 0)}));
  EXPECT_TRUE(block_devices(sys_ + "/none").empty());
}

TEST(BlockOps, EachHasAName) {
  EXPECT_STREQ(block_op_name(NZ_BLOCK_READ), "read");
  EXPECT_STREQ(block_op_name(NZ_BLOCK_DISCARD), "discard");
  EXPECT_STREQ(block_op_name(NZ_BLOCK_OPS + 7), "other");
}

}  // namespace
}  // namespace nz::probes
