#include "userspace/symbols/kernel_symbols.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace nz::symbols {
namespace {

class KernelSymbolsTest : public ::testing::Test {
 protected:
  KernelSymbols of(const std::string& text) {
    std::ofstream(path_) << text;
    return KernelSymbols(path_);
  }
  ~KernelSymbolsTest() override { std::filesystem::remove(path_); }

  std::string path_ = ::testing::TempDir() + "kallsyms." + std::to_string(getpid());
};

TEST_F(KernelSymbolsTest, FunctionsInAnyOrderWithModules) {
  KernelSymbols kernel =
      of("ffffffff81000200 T second\n"
         "ffffffff81000100 t first\n"
         "ffffffff81000180 d data\n"
         "ffffffffc0000000 t in_module\t[ext4]\n"
         "nonsense\n");
  EXPECT_FALSE(kernel.find(0xffffffff810000ff));
  const auto first = kernel.find(0xffffffff810001ff);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->name, "first") << "data is no function";
  EXPECT_EQ(first->begin, 0xffffffff81000100);
  EXPECT_EQ(first->end, 0xffffffff81000200);
  EXPECT_EQ(kernel.find(0xffffffff81000200)->name, "second");
  EXPECT_EQ(kernel.find(0xffffffffc0000042)->name, "in_module");
}

TEST_F(KernelSymbolsTest, AddressesThatTheKernelHidesAreNone) {
  KernelSymbols kernel = of("0000000000000000 T first\n0000000000000000 T second\n");
  EXPECT_FALSE(kernel.find(0xffffffff81000000));
  KernelSymbols none("/nowhere/kallsyms");
  EXPECT_FALSE(none.find(0xffffffff81000000));
}

}  // namespace
}  // namespace nz::symbols
