#include "userspace/report/schedule.h"

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
#include "userspace/report/scheduled_reports.h"

namespace nz::report {
namespace {

constexpr double kDay = 86400;
constexpr double kMidnight = 20784 * kDay;  // 2026-11-27T00:00:00Z

TEST(Schedule, OneReportADayAtMidnight) {
  Schedule schedule({.every = kDay}, std::nullopt, kMidnight + 9 * 3600);
  EXPECT_FALSE(schedule.due(kMidnight + 10 * 3600)) << "what was before it began is another's";
  EXPECT_FALSE(schedule.due(kMidnight + kDay + 5)) << "the last figures are not in";
  const auto due = schedule.due(kMidnight + kDay + 30);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->from, kMidnight);
  EXPECT_EQ(due->to, kMidnight + kDay);
  EXPECT_FALSE(schedule.due(kMidnight + kDay + 31)) << "once";
  EXPECT_TRUE(schedule.due(kMidnight + 2 * kDay + 30));
}

TEST(Schedule, AfterAPauseTheNewestOnly) {
  Schedule schedule({.every = 3600}, kMidnight, kMidnight + 10 * 3600);
  const auto due = schedule.due(kMidnight + 10 * 3600 + 60);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->to, kMidnight + 10 * 3600);
  EXPECT_FALSE(schedule.due(kMidnight + 10 * 3600 + 120));
}

TEST(Schedule, AClockThatIsSet) {
  Schedule schedule({.every = 3600}, std::nullopt, kMidnight);
  ASSERT_TRUE(schedule.due(kMidnight + 3700));
  EXPECT_FALSE(schedule.due(kMidnight + 1000)) << "back: none twice";
  EXPECT_FALSE(schedule.due(kMidnight + 3700));
  EXPECT_TRUE(schedule.due(kMidnight + 2 * 3600 + 100));
  EXPECT_FALSE(schedule.due(kMidnight - 30 * kDay)) << "another time altogether";
  EXPECT_TRUE(schedule.due(kMidnight - 30 * kDay + 3700));
}

TEST(Schedule, AtAnotherHour) {
  Schedule schedule({.every = kDay, .offset = 6 * 3600}, std::nullopt, kMidnight);
  const auto due = schedule.due(kMidnight + 6 * 3600 + 60);
  ASSERT_TRUE(due);
  EXPECT_EQ(due->to, kMidnight + 6 * 3600);
}

TEST(Schedule, NotMoreOftenThanAMinute) {
  Schedule schedule({.every = 0}, std::nullopt, kMidnight);
  int made = 0;
  for (int s = 0; s < 3600; s++) made += schedule.due(kMidnight + s) ? 1 : 0;
  EXPECT_GE(made, 58);
  EXPECT_LE(made, 60);
}

class Files : public ::testing::Test {
 protected:
  Files() {
    char folder[] = "/tmp/nearzero-reports.XXXXXX";
    EXPECT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
  }
  ~Files() override {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }
  static std::string content(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string folder_;
};

TEST_F(Files, TheOldestGo) {
  const ReportFiles files(folder_ + "/a/b", "html", 3);
  EXPECT_FALSE(files.newest());
  for (int i = 0; i < 5; i++) {
    const auto path = files.write(kMidnight + i * kDay, "report " + std::to_string(i));
    ASSERT_TRUE(path) << path.error().text();
    EXPECT_EQ(content(*path), "report " + std::to_string(i));
  }
  EXPECT_EQ(files.periods(), (std::vector<double>{kMidnight + 2 * kDay, kMidnight + 3 * kDay,
                                                  kMidnight + 4 * kDay}));
  EXPECT_EQ(files.newest(), kMidnight + 4 * kDay);
  struct stat status {};
  ASSERT_EQ(stat((folder_ + "/a/b/nearzero-report-20261201T000000Z.html").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U & 07U, 0U) << "not for everybody";
}

TEST_F(Files, OthersAreNeverTouched) {
  for (const char* name : {"nearzero-report-20200101T000000Z.md", "nearzero-report-.html",
                           "nearzero-report-20209901T000000Z.html", "notes.html",
                           "nearzero-report-20200101T000000Z.html.bak"})
    std::ofstream(folder_ + "/" + name) << "mine";
  const ReportFiles files(folder_, "html", 1);
  ASSERT_TRUE(files.write(kMidnight, "a"));
  ASSERT_TRUE(files.write(kMidnight + kDay, "b"));
  EXPECT_EQ(files.periods().size(), 1U);
  std::size_t left = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) left += entry.exists();
  EXPECT_EQ(left, 6U);
}

TEST_F(Files, WhatWasJustWrittenStays) {
  const ReportFiles files(folder_, "html", 2);
  for (const int day : {300, 301}) ASSERT_TRUE(files.write(kMidnight + day * kDay, "ahead"));
  const auto path = files.write(kMidnight, "now");
  ASSERT_TRUE(path);
  EXPECT_EQ(content(*path), "now") << "though the clock was ahead when the others were made";
  const auto next = files.write(kMidnight + kDay, "then");
  ASSERT_TRUE(next);
  EXPECT_EQ(content(*next), "then");
  EXPECT_EQ(files.periods().size(), 2U);
}

TEST_F(Files, ErrorsNameThePlace) {
  std::ofstream(folder_ + "/file") << "no folder";
  const auto in_file = ReportFiles(folder_ + "/file", "html", 1).write(kMidnight, "x");
  ASSERT_FALSE(in_file);
  EXPECT_NE(in_file.error().what.find(folder_ + "/file"), std::string::npos);
  // What cannot be written leaves what was there.
  ASSERT_TRUE(write_whole(folder_ + "/whole", "old", 0644));
  std::filesystem::create_directory(folder_ + "/whole.part");
  const auto written = write_whole(folder_ + "/whole", "new", 0644);
  EXPECT_FALSE(written);
  EXPECT_EQ(content(folder_ + "/whole"), "old");
}

TEST_F(Files, ScheduledReportsAreMadeOnceAndTriedAgain) {
  const auto make = [](const Period& period) {
    return "until " + std::to_string(static_cast<long long>(period.to));
  };
  ScheduledReports::Options options;
  options.every = 3600;
  options.directory = folder_ + "/reports";
  options.format = "md";
  options.keep = 2;
  {
    ScheduledReports reports(options, kMidnight + 10);
    EXPECT_FALSE(reports.step(kMidnight + 1000, make));
    const auto first = reports.step(kMidnight + 3700, make);
    ASSERT_TRUE(first && *first) << first->error().text();
    EXPECT_TRUE(content(**first).starts_with("until 1795741200")) << content(**first);
    EXPECT_FALSE(reports.step(kMidnight + 3701, make));
  }
  ScheduledReports after_restart(options, kMidnight + 3800);
  EXPECT_FALSE(after_restart.step(kMidnight + 3801, make)) << "it is there already";
  std::filesystem::remove_all(options.directory);
  std::ofstream(options.directory) << "no folder";
  const auto failed = after_restart.step(kMidnight + 7300, make);
  ASSERT_TRUE(failed);
  ASSERT_FALSE(*failed);
  EXPECT_FALSE(after_restart.step(kMidnight + 7301, make)) << "not each second";
  std::filesystem::remove(options.directory);
  const auto again = after_restart.step(kMidnight + 7300 + 601, make);
  ASSERT_TRUE(again && *again);
  EXPECT_TRUE((*again)->ends_with("nearzero-report-20261127T020000Z.md")) << **again;
}

TEST_F(Files, WithoutAFolderNothingIsWritten) {
  ScheduledReports::Options options;
  options.every = 3600;
  // The newest is known to whoever keeps them.
  ScheduledReports reports(options, kMidnight + 3700, kMidnight + 3600);
  int made = 0;
  const auto make = [&](const Period&) {
    made++;
    return std::string("text");
  };
  EXPECT_FALSE(reports.step(kMidnight + 3700, make)) << "made before the restart";
  const auto step = reports.step(kMidnight + 7300, make);
  ASSERT_TRUE(step && *step);
  EXPECT_TRUE((*step)->empty());
  EXPECT_EQ(made, 1);
}

TEST_F(Files, NothingToTellIsNoFile) {
  ScheduledReports::Options options;
  options.every = 3600;
  options.directory = folder_ + "/reports";
  ScheduledReports reports(options, kMidnight + 10);
  const auto step = reports.step(kMidnight + 3700, [](const Period&) { return std::string(); });
  ASSERT_TRUE(step && *step);
  EXPECT_TRUE((*step)->empty());
  EXPECT_FALSE(std::filesystem::exists(options.directory));
}

TEST(Stamp, OfATimeAndBack) {
  EXPECT_EQ(stamp_of(kMidnight), "20261127T000000Z");
  EXPECT_EQ(parse_stamp("20261127T000000Z"), kMidnight);
  for (const char* text : {"", "20261127T000000", "20261127T000000Z1", "2026-11-27T0000Z"})
    EXPECT_FALSE(parse_stamp(text)) << text;
}

TEST_F(Files, ALinkIsNotFollowed) {
  std::ofstream(folder_ + "/victim") << "precious";
  ASSERT_EQ(symlink((folder_ + "/victim").c_str(), (folder_ + "/out.part").c_str()), 0);
  ASSERT_TRUE(write_whole(folder_ + "/out", "new", 0644));
  EXPECT_EQ(content(folder_ + "/victim"), "precious");
  EXPECT_EQ(content(folder_ + "/out"), "new");
}

TEST_F(Files, WhatIsNoFileStaysWhatItIs) {
  namespace fs = std::filesystem;
  const std::string pipe = folder_ + "/pipe", null = folder_ + "/null", file = folder_ + "/file";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  ASSERT_EQ(symlink("/dev/null", null.c_str()), 0);
  EXPECT_FALSE(write_whole(pipe, "a report", 0644));
  EXPECT_FALSE(write_whole(folder_, "a report", 0644));
  ASSERT_TRUE(write_output(null, "a report", 0644));
  EXPECT_TRUE(fs::is_symlink(null));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  const Fd reader(open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  ASSERT_TRUE(reader.valid());
  ASSERT_TRUE(write_output(pipe, "a report", 0644));
  std::array<char, 32> got{};
  EXPECT_EQ(read(reader.get(), got.data(), got.size()), 8);
  EXPECT_STREQ(got.data(), "a report");
  EXPECT_TRUE(fs::is_fifo(pipe));
  const auto folder = write_output(folder_, "a report", 0644);
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().what.find(folder_), std::string::npos);
  EXPECT_FALSE(folder.error().remedy.empty());
  ASSERT_TRUE(write_output(file, "a report", 0644));
  EXPECT_EQ(content(file), "a report");
  for (const auto& entry : fs::directory_iterator(folder_))
    EXPECT_NE(entry.path().extension(), ".part") << entry.path();
}

}  // namespace
}  // namespace nz::report
