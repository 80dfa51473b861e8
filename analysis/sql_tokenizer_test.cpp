#include "analysis/sql_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace nz::analysis {
namespace {

using ::testing::ElementsAre;

std::string letter_of(SqlKind kind) {
  return std::string(1, " cwnsb9v+!"[static_cast<size_t>(kind)]);
}

// "w:SELECT", spaces left out.
std::vector<std::string> tokens(std::string_view sql) {
  std::vector<std::string> all;
  SqlTokenizer tokenizer(sql);
  SqlToken token;
  while (tokenizer.next(token)) {
    if (token.kind != SqlKind::space)
      all.push_back(letter_of(token.kind) + ":" + std::string(token.text));
  }
  return all;
}

TEST(SqlTokenizer, Literals) {
  EXPECT_THAT(tokens("'it''s' x'AB01' X'' 12 1.5e-3 .5 1. 0xFF 1e5"),
              ElementsAre("s:'it''s'", "b:x'AB01'", "b:X''", "9:12", "9:1.5e-3", "9:.5", "9:1.",
                          "9:0xFF", "9:1e5"));
  EXPECT_THAT(tokens("1e 0x 12ab x'A' x'G' 'open"),
              ElementsAre("!:1e", "!:0x", "!:12ab", "!:x'A'", "!:x'G'", "!:'open"));
}

TEST(SqlTokenizer, NamesAndVariables) {
  EXPECT_THAT(tokens("\"a \"\"b\" `c``d` [e f] g$1 größe"),
              ElementsAre("n:\"a \"\"b\"", "n:`c``d`", "n:[e f]", "w:g$1", "w:größe"));
  EXPECT_THAT(
      tokens("? ?12 :a @b1 $c $d::e(f g) $h(i)"),
      ElementsAre("v:?", "v:?12", "v::a", "v:@b1", "v:$c", "!:$d::e(f", "w:g", "+:)", "v:$h(i)"));
  EXPECT_THAT(tokens(": @"), ElementsAre("!::", "!:@"));
}

TEST(SqlTokenizer, OperatorsAndComments) {
  EXPECT_THAT(tokens("a->>b->c<>d<=e<<f!=g||h==i"),
              ElementsAre("w:a", "+:->>", "w:b", "+:->", "w:c", "+:<>", "w:d", "+:<=", "w:e",
                          "+:<<", "w:f", "+:!=", "w:g", "+:||", "w:h", "+:==", "w:i"));
  EXPECT_THAT(tokens("a--b\nc/*d*/e/**/f/*/g*/h-1"),
              ElementsAre("w:a", "c:--b", "w:c", "c:/*d*/", "w:e", "c:/**/", "w:f", "c:/*/g*/",
                          "w:h", "+:-", "9:1"));
  EXPECT_THAT(tokens("a/*open"), ElementsAre("w:a", "c:/*open"));
  EXPECT_THAT(tokens("a!b^"), ElementsAre("w:a", "!:!", "w:b", "!:^"));
  EXPECT_THAT(tokens(std::string_view("a\0b", 3)), ElementsAre("w:a"));
}

TEST(SqlTokenizer, TokensAreTheWholeText) {
  std::mt19937 random(11);
  const std::string alphabet = "a1x'\"`[]-/*?.:@$#(e+ \n\v\xc3\xa4\xef\xbb\xbf|<>=!~";
  for (int round = 0; round < 50000; round++) {
    std::string text;
    for (size_t length = random() % 30; length > 0; length--)
      text += alphabet[random() % alphabet.size()];
    std::string joined;
    SqlTokenizer tokenizer(text);
    SqlToken token;
    while (tokenizer.next(token)) {
      ASSERT_FALSE(token.text.empty()) << text;
      joined += token.text;
    }
    ASSERT_EQ(joined, text);
  }
}

TEST(SqlKeywords, AreFoundInAnyCase) {
  for (const char* word : {"select", "SELECT", "Without", "abort", "CURRENT_TIMESTAMP", "in"})
    EXPECT_TRUE(is_sql_keyword(word)) << word;
  for (const char* word : {"orders", "", "s", "selected", "rowid"})
    EXPECT_FALSE(is_sql_keyword(word)) << word;
}

}  // namespace
}  // namespace nz::analysis
