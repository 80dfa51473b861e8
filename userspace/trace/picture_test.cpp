#include "userspace/trace/picture.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace nz::trace {
namespace {

size_t lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(Picture, NothingIsDrawnOfNothing) { EXPECT_EQ(picture({}, 100), ""); }

TEST(Picture, OneLineAnOctaveFromTheFirstToTheLast) {
  analysis::Histogram h;
  for (uint64_t ns = 1000; ns <= 1'024'000; ns *= 2) h.record(ns);  // 11 octaves
  const std::string text = picture(h, 100);
  EXPECT_EQ(lines(text), 11U) << text;
  EXPECT_NE(text.find("954ns .. 1.91us"), std::string::npos) << text;
}

TEST(Picture, TwoLinesAnOctaveWhereThereAreFew) {
  analysis::Histogram h;
  h.record(1000);
  h.record(1900);
  EXPECT_EQ(lines(picture(h, 100)), 2U);
}

TEST(Picture, WhatIsRareIsSeenBesideWhatIsNot) {
  analysis::Histogram h;
  for (int i = 0; i < 100000; i++) h.record(1000);
  h.record(50'000'000);
  const std::string text = picture(h, 100);
  const std::string last = text.substr(text.rfind('\n', text.size() - 2) + 1);
  EXPECT_NE(last.find("1 |@ "), std::string::npos) << text;
}

TEST(Picture, TheShortestAndTheLongestHaveLines) {
  analysis::Histogram h;
  h.record(3);
  h.record(300'000'000'000);
  const std::string text = picture(h, 100);
  EXPECT_NE(text.find("0ns .. 60ns"), std::string::npos) << text;
  EXPECT_NE(text.find("256s .. "), std::string::npos) << text;
}

}  // namespace
}  // namespace nz::trace
