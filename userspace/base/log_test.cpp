#include "userspace/base/log.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace nz::base {
namespace {

std::string parsed(const std::string& inside) {
  return nlohmann::json::parse("\"" + inside + "\"").get<std::string>();
}

TEST(JsonEscape, LeavesPlainTextAlone) {
  EXPECT_EQ(json_escape("ready after 0.50 s"), "ready after 0.50 s");
  EXPECT_EQ(json_escape(""), "");
}

TEST(JsonEscape, QuotesAndBackslashes) {
  EXPECT_EQ(json_escape(R"(a "b" \c)"), R"(a \"b\" \\c)");
  EXPECT_EQ(json_escape("line\nnext\ttab"), R"(line\nnext\ttab)");
}

TEST(JsonEscape, EveryAsciiByteComesBackFromAParser) {
  for (int c = 0; c < 128; c++) {
    const std::string text(3, static_cast<char>(c));
    EXPECT_EQ(parsed(json_escape(text)), text) << c;
  }
}

TEST(JsonEscape, WholeUtf8IsKept) {
  EXPECT_EQ(parsed(json_escape("Preis 3 €, 日本")), "Preis 3 €, 日本");
}

TEST(JsonEscape, BytesThatAreNoUtf8BecomeReplacements) {
  // Command names and SQL come from outside: any byte. A parser must still accept the line.
  for (const std::string text :
       {"\xff", "a\xc3", "\xe2\x82", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "x\x80y"}) {
    const std::string back = parsed(json_escape(text));
    EXPECT_NE(back.find("\xef\xbf\xbd"), std::string::npos) << back;
  }
  EXPECT_EQ(parsed(json_escape("x\x80y")), "x\xef\xbf\xbdy");
}

class Log : public ::testing::Test {
 protected:
  Log() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nearzero-log.XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~Log() override {
    spdlog::drop_all();
    spdlog::set_default_logger(nullptr);
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] std::string file() const { return (folder_ / "agent.log").string(); }
  [[nodiscard]] std::vector<nlohmann::json> lines() const {
    std::vector<nlohmann::json> result;
    std::ifstream in(file());
    std::string line;
    while (std::getline(in, line)) result.push_back(nlohmann::json::parse(line));
    return result;
  }
  std::filesystem::path folder_;
};

TEST_F(Log, OneJsonObjectALine) {
  ASSERT_TRUE(start_logging("info", file()));
  spdlog::info("process {} ({}) has \"left\"", 7, "a\nb\\");
  spdlog::debug("not this one");
  spdlog::error("nor lost");
  const auto found = lines();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0]["level"], "info");
  EXPECT_EQ(found[0]["message"], "process 7 (a\nb\\) has \"left\"");
  EXPECT_EQ(found[1]["level"], "error");
  const auto time = found[0]["time"].get<std::string>();
  ASSERT_EQ(time.size(), std::string("2026-01-02T03:04:05.123456Z").size()) << time;
  EXPECT_EQ(time[10], 'T');
  EXPECT_EQ(time.back(), 'Z');
}

TEST_F(Log, AppendsToAnExistingFile) {
  std::ofstream(file()) << R"({"level":"info","message":"from before"})" << '\n';
  ASSERT_TRUE(start_logging("warn", file()));
  spdlog::warn("after");
  spdlog::default_logger()->flush();
  ASSERT_EQ(lines().size(), 2U);
}

TEST_F(Log, AFolderThatCannotBeMadeIsAnError) {
  const auto r = start_logging("info", "/proc/nearzero/agent.log");
  ASSERT_FALSE(r.has_value());
  EXPECT_NE(r.error().text().find("/proc/nearzero/agent.log"), std::string::npos)
      << r.error().text();
  EXPECT_FALSE(r.error().remedy.empty());
}

TEST_F(Log, CanBeStartedAgain) {
  ASSERT_TRUE(start_logging("info", file()));
  ASSERT_TRUE(start_logging("info", file()));
  spdlog::info("once");
  EXPECT_EQ(lines().size(), 1U);
}

}  // namespace
}  // namespace nz::base
