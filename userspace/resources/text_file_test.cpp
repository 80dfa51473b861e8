// Words and numbers as the kernel writes them, files that are read again, counters that never fall.
#include <gmock/gmock.h>

#include "userspace/resources/bounded.h"
#include "userspace/resources/fake_tree.h"
#include "userspace/resources/growth.h"
#include "userspace/resources/text.h"

namespace nz::resources {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Numbers, DigitsOnlyAndWithin64Bits) {
  EXPECT_EQ(number_of("0"), 0U);
  EXPECT_EQ(number_of("18446744073709551615"), UINT64_MAX);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "1x", "0x1", "18446744073709551616", "1.5"})
    EXPECT_EQ(number_of(text), std::nullopt) << text;
}

TEST(LinesAndWords, ATornLineIsNoLine) {
  Lines lines("one  two\t3\n\nlast");
  Words words(*lines.next());
  EXPECT_EQ(words.next(), "one");
  EXPECT_EQ(words.skip(1).number(), 3U);
  EXPECT_EQ(words.next(), "");
  EXPECT_EQ(words.number(), std::nullopt);
  EXPECT_EQ(lines.next(), "");
  EXPECT_EQ(lines.next(), std::nullopt);
  EXPECT_TRUE(lines.torn());
  EXPECT_EQ(value_of("a 1\nab 2\nb x\nc 3", "ab"), 2U);
  EXPECT_EQ(value_of("a 1\nab 2\nb x\nc 3", "b"), std::nullopt);
  EXPECT_EQ(value_of("a 1\nab 2\nb x\nc 3", "c"), std::nullopt) << "torn";
}

using FileTest = FakeTree;

TEST_F(FileTest, ReadsAgainWhatHasChangedAndWhatWasReplaced) {
  file("proc/x", "first\n");
  File f(path("proc/x"));
  EXPECT_EQ(*f.read(buffer), "first\n");
  file("proc/x", "second, which is longer\n");
  EXPECT_EQ(*f.read(buffer), "second, which is longer\n");
  EXPECT_TRUE(f.is_open());
  EXPECT_EQ(*f.read_once(buffer), "second, which is longer\n");
  EXPECT_FALSE(f.is_open());
}

TEST_F(FileTest, AbsentFoldersAndEnormousFiles) {
  File absent(path("proc/none"));
  const auto none = absent.read(buffer);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, ENOENT);
  EXPECT_TRUE(is_absent(none.error()));
  File folder(path("proc"));
  ASSERT_FALSE(folder.read(buffer).has_value());
  EXPECT_EQ(folder.read(buffer).error().code, EISDIR);
  file("proc/huge", std::string(File::kMostBytes, 'x'));
  File huge(path("proc/huge"));
  ASSERT_FALSE(huge.read(buffer).has_value());
  EXPECT_EQ(huge.read(buffer).error().code, EFBIG);
  EXPECT_LE(buffer.size(), File::kMostBytes);
  file("proc/large", std::string(File::kMostBytes - 2, 'y') + "\n");
  File large(path("proc/large"));
  const auto text = large.read(buffer);
  ASSERT_TRUE(text.has_value()) << text.error().text();
  EXPECT_EQ(text->size(), File::kMostBytes - 1);
}

TEST_F(FileTest, TheKernelsOwn) {
  File stat("/proc/self/stat");
  const std::string first(*stat.read(buffer));
  EXPECT_TRUE(first.ends_with('\n'));
  EXPECT_EQ(first.substr(0, first.find(')')),
            std::string(*stat.read(buffer)).substr(0, first.find(')')))
      << "through the same descriptor";
}

TEST(GrowthTest, NeverFalls) {
  Growth g;
  EXPECT_EQ(g.see(100), 100U);
  EXPECT_EQ(g.see(150), 50U);
  EXPECT_EQ(g.see(145, 10), 0U) << "jitter";
  EXPECT_EQ(g.see(155, 10), 5U) << "only what is more than ever before";
  EXPECT_EQ(g.see(20, 10), 20U) << "began anew";
  EXPECT_EQ(g.total(), 175);
}

TEST(GrowthTest, WrapsAt32Bits) {
  Growth g;
  EXPECT_EQ(g.see_32(4'294'967'290), 4'294'967'290U);
  EXPECT_EQ(g.see_32(4), 10U);
  EXPECT_EQ(g.total(), 4'294'967'300.0);
  EXPECT_EQ(g.see_32(3), 3U) << "from the lower half it is another device";
}

TEST(BoundedTest, TheRestIsSummedAndNothingFalls) {
  using enum Bounded::Column;
  Bounded b({counter, gauge}, 2);
  b.update(
      {{"a", false, {10, 1}}, {"b", false, {20, 2}}, {"c", false, {30, 3}}, {"d", true, {40, 4}}});
  EXPECT_THAT(b.named(), ElementsAre(Pair("a", ElementsAre(10, 1)), Pair("d", ElementsAre(40, 4))))
      << "the preferred first";
  EXPECT_THAT(b.other(), ElementsAre(50, 5));
  EXPECT_EQ(b.unnamed(), 2U);
  b.update({{"a", false, {11, 1}}, {"c", false, {35, 7}}, {"d", true, {40, 4}}});
  EXPECT_THAT(b.other(), ElementsAre(55, 7)) << "b has gone, what it had counted has not";
  b.update({{"c", false, {36, 7}}, {"d", true, {40, 4}}});
  EXPECT_THAT(b.named(), ElementsAre(Pair("c", ElementsAre(36, 7)), Pair("d", ElementsAre(40, 4))))
      << "a's place is free";
  EXPECT_EQ(b.unnamed(), 0U);
  EXPECT_TRUE(b.has_other());
  EXPECT_THAT(b.other(), ElementsAre(55, 0));
}

}  // namespace
}  // namespace nz::resources
