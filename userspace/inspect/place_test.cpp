#include "userspace/inspect/place.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace nz::inspect {
namespace {

TEST(Place, APathStandsForItselfAndThePatternFollowsTheFirstColon) {
  const auto place = find_place("/bin/true:ns::f", std::nullopt);
  ASSERT_TRUE(place.has_value()) << place.error().text();
  EXPECT_EQ(place->path, "/bin/true");
  EXPECT_EQ(place->pattern, "ns::f");
  EXPECT_EQ(find_place("/bin/true", std::nullopt)->pattern, "");
}

TEST(Place, AProgramIsFoundInPath) {
  const auto place = find_place("sh:main", std::nullopt);
  ASSERT_TRUE(place.has_value()) << place.error().text();
  EXPECT_TRUE(place->path.ends_with("/sh")) << place->path;
}

TEST(Place, ALibraryIsFoundByAnyOfItsNames) {
  for (const char* name : {"libsqlite3.so.0", "libsqlite3", "sqlite3"}) {
    if (name == std::string("sqlite3") && access("/usr/bin/sqlite3", X_OK) == 0) continue;
    const auto place = find_place(std::string(name) + ":sqlite3_step", std::nullopt);
    ASSERT_TRUE(place.has_value()) << name << ": " << place.error().text();
    EXPECT_NE(place->path.find("libsqlite3.so"), std::string::npos) << place->path;
  }
}

TEST(Place, WhatIsNotThereSaysWhereItWasLookedFor) {
  const auto none = find_place("no-such-program-or-library:f", std::nullopt);
  ASSERT_FALSE(none.has_value());
  EXPECT_NE(none.error().text().find("$PATH"), std::string::npos);
  EXPECT_FALSE(find_place("/no/such/file:f", std::nullopt).has_value());
  EXPECT_FALSE(find_place("/tmp:f", std::nullopt).has_value()) << "a folder";
  EXPECT_FALSE(find_place(":f", std::nullopt).has_value());
}

TEST(Place, OfAProcessItsExecutableAndWhatItMaps) {
  const auto self = find_place(":main", getpid());
  ASSERT_TRUE(self.has_value()) << self.error().text();
  EXPECT_EQ(self->shown, std::filesystem::read_symlink("/proc/self/exe"));
  const auto libc = find_place("libc:malloc", getpid());
  ASSERT_TRUE(libc.has_value()) << libc.error().text();
  EXPECT_NE(libc->shown.find("libc.so"), std::string::npos);
  const auto none = find_place("libnotmapped:f", getpid());
  ASSERT_FALSE(none.has_value());
  EXPECT_NE(none.error().text().find("it maps "), std::string::npos) << none.error().text();
}

TEST(Place, AProcessThatIsGoneIsAnError) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(find_place(":main", child).has_value());
}

TEST(Place, APathMayHoldAColon) {
  const auto path =
      std::filesystem::temp_directory_path() / ("nz:place-" + std::to_string(getpid()));
  std::ofstream(path) << "x";
  const auto place = find_place(path, std::nullopt);
  std::filesystem::remove(path);
  ASSERT_TRUE(place.has_value()) << place.error().text();
  EXPECT_EQ(place->path, path);
  EXPECT_EQ(place->pattern, "");
}

}  // namespace
}  // namespace nz::inspect
