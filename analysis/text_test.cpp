#include "analysis/text.h"

#include <gtest/gtest.h>

namespace nz::analysis {
namespace {

struct Figure {
  double value;
  const char* unit;
  const char* text;
};
class Figures : public ::testing::TestWithParam<Figure> {};

TEST_P(Figures, AreReadable) {
  EXPECT_EQ(figure_text(GetParam().value, GetParam().unit), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(
    All, Figures,
    ::testing::Values(Figure{0, "seconds", "0 us"}, Figure{4.2e-3, "seconds", "4.2 ms"},
                      Figure{60e-6, "seconds", "60 us"}, Figure{999.7e-6, "seconds", "1 ms"},
                      Figure{12.34, "seconds", "12.3 s"}, Figure{250e-9, "seconds", "250 ns"},
                      Figure{0.4213, "ratio", "42.1 %"}, Figure{0.005, "ratio", "0.5 %"},
                      Figure{1, "ratio", "100 %"}, Figure{12'500, "per second", "12.5k/s"},
                      Figure{3.14159, "per second", "3.14/s"},
                      Figure{64.0 * (1 << 20), "bytes", "64 MiB"}, Figure{512, "bytes", "512 B"},
                      Figure{1.5, "cores", "1.5 cores"}, Figure{1, "cores", "1 core"},
                      Figure{2e6, "", "2M"}));

TEST(Selector, IsPromQL) {
  EXPECT_EQ(selector("nearzero_x"), "nearzero_x");
  EXPECT_EQ(selector("nearzero_x", {{"target", "demo"}, {"kind", "busy"}}),
            R"(nearzero_x{target="demo",kind="busy"})");
}

TEST(Selector, EscapesWhatPromQLWouldNotRead) {
  EXPECT_EQ(selector("x", {{"statement", "SELECT \"a\\b\"\nFROM t"}}),
            R"(x{statement="SELECT \"a\\b\"\nFROM t"})");
}

TEST(Evidence, SaysBeforeAndAfter) {
  const Evidence e =
      evidence("nearzero_offcpu_seconds", {{"reason", "lock"}}, "p99", 4.2e-3, 60e-6, "seconds");
  EXPECT_EQ(e.text, "p99: 4.2 ms (before: 60 us)");
  EXPECT_EQ(e.series, R"(nearzero_offcpu_seconds{reason="lock"})");
  EXPECT_EQ(e.value, 4.2e-3);
  EXPECT_EQ(e.unit, "seconds");
}

TEST(Evidence, SaysNothingOfBeforeWhereNothingIsKnown) {
  EXPECT_EQ(evidence("x", {}, "busy", 0.5, std::nullopt, "ratio").text, "busy: 50 %");
}

}  // namespace
}  // namespace nz::analysis
