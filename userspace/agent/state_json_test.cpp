#include "userspace/agent/state_json.h"

#include <gtest/gtest.h>

namespace nz::agent {
namespace {

using nlohmann::json;

Result<int> restored_number(std::string_view saved) {
  return restore_state(saved, 3, [](const json& in) { return in.at("number").get<int>(); });
}

// What earlier versions of the agent wrote is read by later ones: the text itself must stay.
TEST(StateJson, IsOneLineWithItsVersion) {
  EXPECT_EQ(state_text(3, {{"number", 7}}), R"({"number":7,"version":3})");
  EXPECT_EQ(state_text(1, {{"label", "a\xff"}}), "{\"label\":\"a\xEF\xBF\xBD\",\"version\":1}");
}

TEST(StateJson, ComesBack) {
  const auto back = restored_number(state_text(3, {{"number", 7}}));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(*back, 7);
}

TEST(StateJson, AnotherVersionSaysSo) {
  const auto back = restored_number(state_text(4, {{"number", 7}}));
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().text(), "another version wrote it");
}

TEST(StateJson, WhatIsNoStateIsAnErrorAndNoException) {
  for (const char* bad : {"", "{", "null", "7", "[]", "{}", R"({"version":"3","number":7})",
                          R"({"version":3})", R"({"version":3,"number":"7"})"}) {
    const auto back = restored_number(bad);
    ASSERT_FALSE(back) << bad;
    EXPECT_FALSE(back.error().text().empty()) << bad;
  }
}

}  // namespace
}  // namespace nz::agent
