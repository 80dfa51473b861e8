// Texts of other processes are shown and never read as markup, whatever they hold.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "userspace/report/document/writers.h"
#include "userspace/report/report.h"
#include "userspace/report/test_input.h"

namespace nz::report {
namespace {

const std::string kEvil =
    "</pre></td><script>alert(1)</script><img src=x onerror=alert(2)>\"'`|``` [a](javascript:x) "
    "https://evil.example/ **b** \xE2\x80\xAE"
    "gpj.exe \x01\x1b[31m \xff\xfe";

Input evil() {
  Input input = testing::incident();
  const std::string e = kEvil + std::string("\0after", 6);
  input.title = e;
  for (auto& f : input.findings) {
    f.title = f.where = f.kind = f.recommendation = e;
    for (auto& evidence : f.evidence) evidence.text = evidence.series = e;
  }
  for (auto& s : input.details.slow_statements) {
    s.sql = s.plan = s.database = s.stage = e;
    s.advice = {e, "CREATE INDEX " + e};
    s.settings = {e};
  }
  for (auto& f : input.details.hot_functions) f.function = f.module = f.target = e;
  for (auto& x : *input.extras.events) x.text = x.target = e;
  for (auto& x : *input.extras.alerts) x.rule = x.severity = x.target = x.text = e;
  for (auto& x : *input.extras.regressions) x.of.labels = {{"target", e}};
  for (auto& x : *input.extras.forecasts) x.what = e;
  analysis::AgainstUsual usual;
  usual.of = {e, {{"target", e}}, e, e};
  usual.at = input.to;
  usual.usual.basis = analysis::Basis::all;
  input.extras.usual = std::vector<analysis::AgainstUsual>{usual};
  input.extras.host.name = input.extras.host.kernel = e;
  input.unattached = {{e, e, e}};
  input.before_name = e;
  for (auto* window : {&input.now, &input.before}) {
    for (auto& series : window->series) {
      for (auto& [label, value] : series.labels) {
        if (label == "statement" || label == "stage" || label == "device") value = e;
      }
    }
  }
  for (auto& line : input.trends) line.of.labels.emplace_back("x", e);
  return input;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) n++;
  return n;
}

void expect_visible(const std::string& text) {
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    EXPECT_TRUE(u >= 0x20 || c == '\n' || c == '\t') << static_cast<int>(u);
  }
  EXPECT_EQ(text.find("\xE2\x80\xAE"), std::string::npos) << "turns what follows";
  EXPECT_NE(text.find("U+202E"), std::string::npos);
}

TEST(Hostile, Html) {
  const std::string html = to_html(make_report(evil()));
  expect_visible(html);
  for (const char* markup :
       {"<script", "<img", "<iframe", "<link", "<a href=\"http", "onerror=alert(2)>",
        "src=x onerror=alert(2)>", "url(", "@import", "http://", "<object"})
    EXPECT_EQ(count(html, markup), 0U) << markup;
  EXPECT_GT(count(html, "&lt;script&gt;alert(1)&lt;/script&gt;"), 10U) << "shown as text";
  EXPECT_EQ(count(html, "href=\""), count(html, "href=\"#")) << "no way out of the file";
  EXPECT_GT(count(html, "Content-Security-Policy"), 0U);
  for (const char* tag : {"html", "body", "main", "section", "table", "tr", "td", "pre", "svg",
                          "figure", "article", "ol", "li", "p"})
    EXPECT_EQ(count(html, std::string("<") + tag + ">") + count(html, std::string("<") + tag + " "),
              count(html, std::string("</") + tag + ">"))
        << tag;
}

TEST(Hostile, Markdown) {
  const std::string markdown = to_markdown(make_report(evil()));
  expect_visible(markdown);
  // Outside of code nothing of it is markup: no raw element, no link, no emphasis of its own.
  std::string outside;
  bool fenced = false;
  std::size_t fence = 0;
  for (std::size_t i = 0; i < markdown.size();) {
    std::size_t run = 0;
    while (i + run < markdown.size() && markdown[i + run] == '`') run++;
    const bool escaped = i > 0 && markdown[i - 1] == '\\';
    if (run > 0 && (fenced ? run == fence : !escaped)) {
      fenced = !fenced;
      fence = run;
      i += run;
      continue;
    }
    if (!fenced) outside += markdown[i];
    i += std::max<std::size_t>(1, fenced ? run : 0);
  }
  EXPECT_EQ(count(outside, "<"), 0U);
  EXPECT_EQ(count(outside, "](javascript"), count(outside, "\\](javascript"));
  EXPECT_EQ(count(outside, "https://"), 0U) << "would become a link";
  // A row of a table is one line with as many bars as its head.
  std::size_t bars = 0;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = markdown.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    const std::string line = markdown.substr(begin, end - begin);
    if (!line.starts_with("|")) {
      bars = 0;
      continue;
    }
    const std::size_t here = count(line, "|") - count(line, "\\|");
    if (bars != 0) {
      EXPECT_EQ(here, bars) << line;
    }
    bars = here;
  }
}

TEST(Hostile, Json) {
  const std::string text = to_json(make_report(evil()));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  ASSERT_FALSE(json.is_discarded());
  EXPECT_TRUE(json["title"].get<std::string>().starts_with("</pre></td><script>"))
      << "for programs as it is";
}

TEST(Hostile, NumbersThatAreNone) {
  Input input = testing::incident();
  const double nan = std::nan(""), inf = HUGE_VAL;
  for (auto& f : input.findings) {
    f.impact = nan;
    f.impact_seconds = inf;
    f.since = nan;
  }
  for (auto& r : *input.extras.regressions) r.before = r.after = r.since = inf;
  for (auto& line : input.trends) {
    line.now = {{nan, 1}, {testing::kTo, inf}, {testing::kTo, nan}, {-inf, 0}};
  }
  for (auto& series : input.now.series) {
    if (!series.histogram) series.change = series.value = nan;
  }
  const Document d = make_report(input);
  const std::string html = to_html(d);
  EXPECT_EQ(html.find("=\"nan"), std::string::npos);
  EXPECT_EQ(html.find("=\"-nan"), std::string::npos);
  EXPECT_EQ(html.find("=\"inf"), std::string::npos);
  EXPECT_FALSE(nlohmann::json::parse(to_json(d), nullptr, false).is_discarded());
  EXPECT_FALSE(to_markdown(d).empty());
}

TEST(Hostile, TimesOutsideOfTheCalendar) {
  Input input = testing::incident();
  input.from = -1e300;
  input.to = input.created = 1e300;
  EXPECT_FALSE(to_html(make_report(input)).empty());
  input.from = input.to = testing::kTo;
  EXPECT_FALSE(to_html(make_report(input)).empty());
}

}  // namespace
}  // namespace nz::report
