#include "userspace/base/write_through.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "userspace/base/fd.h"

namespace nz {
namespace {

namespace fs = std::filesystem;

class WriteThrough : public ::testing::Test {
 protected:
  WriteThrough() {
    char folder[] = "/tmp/nearzero-through.XXXXXX";
    EXPECT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
  }
  ~WriteThrough() override {
    std::error_code error;
    fs::remove_all(folder_, error);
  }
  [[nodiscard]] std::string in(const std::string& name) const { return folder_ + "/" + name; }
  std::string folder_;
};

TEST_F(WriteThrough, APipeStaysAPipe) {
  const std::string pipe = in("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_TRUE(is_special(pipe));
  const auto alone = write_through(pipe, "x", false);
  ASSERT_FALSE(alone) << "nobody reads";
  EXPECT_EQ(alone.error().code, ENXIO);
  EXPECT_NE(alone.error().what.find(pipe), std::string::npos);
  const Fd reader(open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  ASSERT_TRUE(reader.valid());
  ASSERT_TRUE(write_through(pipe, "a report", true));
  std::array<char, 32> got{};
  EXPECT_EQ(read(reader.get(), got.data(), got.size()), 8);
  EXPECT_STREQ(got.data(), "a report");
  EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST_F(WriteThrough, WhatALinkLeadsTo) {
  ASSERT_EQ(symlink("/dev/null", in("null").c_str()), 0);
  EXPECT_TRUE(is_special(in("null")));
  ASSERT_TRUE(write_through(in("null"), "lost", true));
  EXPECT_TRUE(fs::is_symlink(in("null")));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  // A file at its end is written anew.
  std::ofstream(in("file")) << "something long";
  ASSERT_EQ(symlink(in("file").c_str(), in("link").c_str()), 0);
  EXPECT_FALSE(is_special(in("link")));
  ASSERT_TRUE(write_through(in("link"), "short", true));
  EXPECT_TRUE(fs::is_symlink(in("link")));
  std::ifstream file(in("file"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "short");
}

TEST_F(WriteThrough, ErrorsNameThePlaceAndSayWhatToDo) {
  EXPECT_FALSE(is_special(in("nothing")));
  EXPECT_TRUE(is_special(folder_));
  ASSERT_EQ(symlink(in("nothing").c_str(), in("nowhere").c_str()), 0);
  for (const std::string& path : {folder_, in("nowhere"), std::string("/dev/full")}) {
    const auto written = write_through(path, "x", true);
    ASSERT_FALSE(written) << path;
    EXPECT_NE(written.error().what.find(path), std::string::npos) << written.error().text();
    EXPECT_FALSE(written.error().remedy.empty()) << path;
  }
  EXPECT_FALSE(fs::exists(in("nothing")));
}

}  // namespace
}  // namespace nz
