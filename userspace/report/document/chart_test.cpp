// Axes and the pictures made on them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "userspace/report/document/axis.h"
#include "userspace/report/document/svg.h"
#include "userspace/report/document/writers.h"

namespace nz::report {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Axis, LinearFromZeroToATick) {
  const Scale s = scale_of({3, 87, NAN}, "");
  EXPECT_FALSE(s.log());
  EXPECT_EQ(s.low(), 0);
  EXPECT_EQ(s.high(), 100);
  EXPECT_EQ(ticks(s, ""), (std::vector<double>{0, 20, 40, 60, 80, 100}));
  EXPECT_EQ(s.at(50), 0.5);
  EXPECT_EQ(s.at(-1), 0);
}

TEST(Axis, LogarithmicWhereValuesLieFarApart) {
  const Scale s = scale_of({2.8e-4, 2.1e-2}, "seconds");
  EXPECT_TRUE(s.log());
  EXPECT_NEAR(s.low(), 2e-4, 1e-12);
  EXPECT_NEAR(s.high(), 3e-2, 1e-9);
  const auto t = ticks(s, "seconds");
  EXPECT_GE(t.size(), 3U);
  EXPECT_LE(t.size(), 7U);
  EXPECT_FALSE(scale_of({0, 1e-6, 1}, "seconds").log()) << "0 has no logarithm";
}

TEST(Axis, AlwaysTwoToSevenTicksInTheScale) {
  for (const char* unit : {"", "seconds", "bytes", "ratio"}) {
    for (double low = 1e-9; low < 1e12; low *= 7.3) {
      for (const double factor : {1.0, 1.001, 1.5, 4.0, 29.0, 31.0, 1e3, 1e9}) {
        const Scale s = scale_of({low, low * factor}, unit);
        const auto t = ticks(s, unit);
        EXPECT_GE(t.size(), 2U) << unit << " " << low << " " << factor;
        EXPECT_LE(t.size(), 7U) << unit << " " << low << " " << factor;
        for (const double tick : t) {
          EXPECT_GE(tick, s.low() * (1 - 1e-6) - 1e-12);
          EXPECT_LE(tick, s.high() * (1 + 1e-6) + 1e-12);
        }
        EXPECT_LE(s.low(), low * (1 + 1e-9));
        EXPECT_GE(s.high(), low * factor * (1 - 1e-9));
      }
    }
  }
  for (const auto& values : {std::vector<double>{}, {0}, {0, 0}, {-5, 5}, {NAN}, {HUGE_VAL, 1}})
    EXPECT_GE(ticks(scale_of(values, ""), "").size(), 2U);
}

TEST(Axis, BytesInPowersOfTwo) {
  const auto t = ticks(scale_of({0, 900.0 * 1024 * 1024}, "bytes"), "bytes");
  ASSERT_GE(t.size(), 2U);
  EXPECT_EQ(t[1], 256.0 * 1024 * 1024);
}

TEST(Axis, TimesOnWholeMinutes) {
  constexpr double kNine = 1'795'770'000;
  const auto t = time_ticks(kNine - 900, kNine);
  ASSERT_GE(t.size(), 3U);
  for (const double at : t) EXPECT_EQ(std::fmod(at, 60), 0);
  EXPECT_EQ(time_tick_text(kNine, kNine - 900, kNine), "09:00");
  EXPECT_EQ(time_tick_text(kNine, kNine - 10 * 86400, kNine), "27 Nov");
  EXPECT_EQ(time_tick_text(kNine - 30, kNine - 120, kNine), "08:59:30");
  EXPECT_LE(time_ticks(0, 1e12).size(), 6U);
  EXPECT_TRUE(time_ticks(5, 5).empty());
  EXPECT_TRUE(time_ticks(NAN, 5).empty());
}

LineChart chart() {
  LineChart c{"p99", "seconds", 0, 100, {}, {{50, "restart"}}, std::nullopt};
  c.lines.push_back({"now", {{10, 1e-3}, {20, 2e-3}, {30, NAN}, {40, 1e-3}}, false});
  c.lines.push_back({"before", {{10, 1e-3}, {40, 1e-3}}, true});
  return c;
}

TEST(LineChartSvg, LinesGapsAndMarks) {
  const std::string svg = line_chart_svg(chart());
  EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
  EXPECT_TRUE(has(svg, "class=\"line l0\""));
  EXPECT_TRUE(has(svg, "class=\"line ref\""));
  EXPECT_LT(svg.find("line ref"), svg.find("line l0")) << "the reference lies behind";
  const std::size_t path = svg.find("d=\"M", svg.find("line l0"));
  const std::string commands = svg.substr(path, svg.find("\"/>", path) - path);
  EXPECT_EQ(std::count(commands.begin(), commands.end(), 'M'), 2) << commands << ": one gap";
  EXPECT_TRUE(has(svg, "class=\"mark\""));
  EXPECT_TRUE(has(svg, ">2 ms</text>"));
  EXPECT_FALSE(has(svg, "nan"));
}

TEST(LineChartSvg, NothingToShow) {
  LineChart c = chart();
  for (Line& line : c.lines) line.points = {{10, NAN}};
  EXPECT_TRUE(has(line_chart_svg(c), "no values in this time"));
  c = chart();
  c.to = c.from;
  EXPECT_TRUE(has(line_chart_svg(c), "no values in this time"));
}

TEST(LineChartSvg, TheTitleIsEscaped) {
  LineChart c = chart();
  c.title = "\"><script>";
  EXPECT_FALSE(has(line_chart_svg(c), "<script>"));
}

TEST(ShareBarsSvg, LengthsAreOnOneScale) {
  ShareBars bars{"time", "seconds", {}};
  bars.bars.push_back({"order", {{"running", 1e-3}, {"disk", 3e-3}}, false});
  bars.bars.push_back({"before", {{"running", 1e-3}}, true});
  const std::string svg = share_bars_svg(bars);
  EXPECT_TRUE(has(svg, ">4 ms</text>"));
  EXPECT_TRUE(has(svg, ">1 ms</text>"));
  EXPECT_TRUE(has(svg, "<title>disk: 3 ms, 75 %</title>"));
  EXPECT_TRUE(has(svg, "class=\"c4\"")) << "disk has its own colour";
  // The bar before is as long as the same part now: 510 wide in all, a quarter of it.
  EXPECT_TRUE(has(svg, "width=\"127.5\" height=\"18.0\"")) << svg;
  EXPECT_EQ(share_bars_svg({"", "seconds", {}}).find("nan"), std::string::npos);
  EXPECT_EQ(share_bars_svg({"", "seconds", {{"a", {{"b", 0}}, false}}}).find("nan"),
            std::string::npos);
}

TEST(DistributionSvg, BarsForNowAnOutlineForBefore) {
  Distribution d{"orders", {{1e-3, 1.4e-3, 0.7}, {1.4e-3, 2e-3, 0.3}}, {{1e-3, 1.4e-3, 1}}};
  const std::string svg = distribution_svg(d);
  EXPECT_TRUE(has(svg, "class=\"bar\""));
  EXPECT_TRUE(has(svg, "class=\"line ref\""));
  EXPECT_TRUE(has(svg, "<title>1 ms to 1.4 ms: 70 %</title>"));
  EXPECT_TRUE(has(distribution_svg({"", {}, {}}), "no values in this time"));
  EXPECT_FALSE(has(distribution_svg({"", {{0, 6e-8, 1}}, {}}), "nan"));
}

TEST(MarkdownCourse, HasFiguresBeyondAnyScale) {
  for (const double least : {1e-300, -1.5e308}) {
    LineChart chart;
    chart.to = 2;
    chart.lines.push_back({"now", {{0, least}, {1, 1.5e308}, {2, NAN}}, false});
    Document document;
    document.sections.push_back({"a", "A", {}});
    document.sections[0].blocks.emplace_back(Charts{{chart}});
    EXPECT_TRUE(has(to_markdown(document), "| \xE2\x96\x81\xE2\x96\x88  |")) << least;
  }
}

}  // namespace
}  // namespace nz::report
