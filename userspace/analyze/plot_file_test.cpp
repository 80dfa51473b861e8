#include "userspace/analyze/plot_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace nz::analyze {
namespace {

TEST(PlotFile, NeverOverTheInput) {
  char pattern[] = "/tmp/nearzero-plot.XXXXXX";
  ASSERT_NE(mkdtemp(pattern), nullptr);
  const std::string folder = pattern, file = folder + "/latency.csv";
  std::ofstream(file) << "timestamp,value\n1,2\n";
  std::ofstream(folder + "/other.svg") << "<svg/>";
  EXPECT_TRUE(overwrites(file, file));
  EXPECT_TRUE(overwrites(folder + "/../" + folder.substr(5) + "/latency.csv", file));
  ASSERT_EQ(symlink(file.c_str(), (folder + "/link").c_str()), 0);
  EXPECT_TRUE(overwrites(folder + "/link", file));
  EXPECT_TRUE(overwrites(file, folder + "/link"));
  ASSERT_EQ(link(file.c_str(), (folder + "/hard").c_str()), 0);
  EXPECT_TRUE(overwrites(folder + "/hard", file));
  EXPECT_FALSE(overwrites(folder + "/other.svg", file));
  EXPECT_FALSE(overwrites(folder + "/new.svg", file));
  EXPECT_FALSE(overwrites(file, folder + "/missing.csv"));
  EXPECT_FALSE(overwrites("/dev/null", "/dev/null")) << "a device has nothing to lose";
  std::error_code error;
  std::filesystem::remove_all(folder, error);
}

}  // namespace
}  // namespace nz::analyze
