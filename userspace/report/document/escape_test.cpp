#include "userspace/report/document/escape.h"

#include <gtest/gtest.h>

namespace nz::report {
namespace {

TEST(Visible, PlainTextStaysAsItIs) {
  for (const char* text : {"", "SELECT 1", "\xC3\xA9t\xC3\xA9", "\xE4\xB8\xAD\xE6\x96\x87",
                           "\xF0\x9F\x98\x80", "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"})
    EXPECT_EQ(visible(text), text);
}

TEST(Visible, WhatCannotBeSeenIsShown) {
  EXPECT_EQ(visible(std::string_view("a\0b", 3)),
            "a\xE2\x90\x80"
            "b");
  EXPECT_EQ(visible("a\nb"),
            "a\xE2\x90\x8A"
            "b");
  EXPECT_EQ(visible("a\nb\tc", true), "a\nb\tc");
  EXPECT_EQ(visible("\x1b[31m"), "\xE2\x90\x9B[31m");
  EXPECT_EQ(visible("\x7f"), "\xE2\x90\xA1");
  EXPECT_EQ(visible("a\xE2\x80\xAE"
                    "b"),
            "a<U+202E>b");
  EXPECT_EQ(visible("a\xE2\x80\x8B"
                    "b"),
            "a<U+200B>b")
      << "no width";
  EXPECT_EQ(visible("\xC2\x85"), "<U+0085>");
  EXPECT_EQ(visible("\xF3\xA0\x81\x81"), "<U+E0041>") << "tags";
  EXPECT_EQ(visible("\xff"
                    "a"),
            "\xEF\xBF\xBD"
            "a");
  EXPECT_EQ(visible("\xE2\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD") << "cut in a character";
}

TEST(Html, MarkupIsText) {
  EXPECT_EQ(html_text("<a href=\"x\">'&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
}

TEST(Markdown, MarkupIsText) {
  EXPECT_EQ(markdown_text("a *b* _c_ `d` [e](f) | ~g~ \\"),
            "a \\*b\\* \\_c\\_ \\`d\\` \\[e\\](f) \\| \\~g\\~ \\\\");
  EXPECT_EQ(markdown_text("<b>&"), "&lt;b&gt;&amp;");
  EXPECT_EQ(markdown_text("# no heading"), "\\# no heading");
  EXPECT_EQ(markdown_text("- no list"), "\\- no list");
  EXPECT_EQ(markdown_text("12. no list"), "12\\. no list");
  EXPECT_EQ(markdown_text("--- no rule"), "\\--- no rule");
  EXPECT_EQ(markdown_text("+34 %"), "+34 %");
  EXPECT_EQ(markdown_text("3.5 ms"), "3.5 ms");
  EXPECT_EQ(markdown_text("took 3.5 ms"), "took 3.5 ms");
  EXPECT_EQ(markdown_text("https://x.y www.x.y a@b.c"), "https\\://x.y www\\.x.y a\\@b.c");
}

TEST(Markdown, CodeHoldsAnything) {
  EXPECT_EQ(markdown_code("SELECT *"), "`SELECT *`");
  EXPECT_EQ(markdown_code("a `b` c"), "``a `b` c``");
  EXPECT_EQ(markdown_code("`a"), "`` `a ``");
  EXPECT_EQ(markdown_code("a\nb"), "`a b`");
  EXPECT_EQ(markdown_code("a|b", true), "`a\\|b`");
  EXPECT_EQ(markdown_code("a|b", false), "`a|b`");
  EXPECT_EQ(markdown_code("a\\|b", true), "a\\\\\\|b") << "two backslashes would end the cell";
  EXPECT_EQ(markdown_code("a\\|b", false), "`a\\|b`");
  EXPECT_EQ(markdown_code(""), "");
  EXPECT_EQ(markdown_block("a\n```\nb"), "````\na\n```\nb\n````\n");
}

}  // namespace
}  // namespace nz::report
