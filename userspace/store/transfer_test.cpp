// Export and import.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <set>
#include <sstream>

#include "userspace/store/answers.h"
#include "userspace/store/database.h"
#include "userspace/store/export_text.h"
#include "userspace/store/import.h"
#include "userspace/store/import_text.h"
#include "userspace/store/retention.h"
#include "userspace/store/test_store.h"
#include "userspace/store/test_transfer.h"
#include "userspace/store/total.h"

namespace nz::store {
namespace {

using namespace testing;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

const ExportOptions kAll{.format = Format::jsonl,
                         .levels = {Level::raw, Level::minute, Level::hour}};

class TransferTest : public ::testing::Test {
 protected:
  const Folder folder;
  void SetUp() override {
    auto store = open_store({.path = folder.file()});
    Service service;
    run_service(*store, service, 0, 9 * 3600, 30);
    store->add_event({kMidnight + 7, "process_start", "gateway", "pid 7 \"started\"\n"});
    add(*store, kMidnight + 9 * 3600 + 10,
        {gauge("odd", std::nan(""), {{"a", "x\"y,z\n"}, {"b", ""}}), counter("c_total", 3)});
    add(*store, kMidnight + 9 * 3600 + 20,
        {gauge("odd", -1.5e-7, {{"a", "x\"y,z\n"}, {"b", ""}}), counter("c_total", 3)});
  }
};

TEST_F(TransferTest, JsonLinesCarryEverythingWithoutLoss) {
  Exported exported;
  const std::string text = export_of(folder.file(), kAll, &exported);
  EXPECT_EQ(exported.points + exported.events, lines_of(text).size());
  EXPECT_EQ(exported.events, 1U);
  const auto imported = import_of(folder.file("copy.db"), text, Format::jsonl);
  ASSERT_TRUE(imported) << imported.error().text();
  EXPECT_EQ(imported->points, exported.points);
  EXPECT_EQ(imported->known, 0U);
  EXPECT_EQ(imported->series, exported.series) << "each once, whatever its levels";
  EXPECT_EQ(imported->events, 1U);
  EXPECT_EQ(export_of(folder.file("copy.db"), kAll), text) << "byte for byte";
  for (const char* family : {"c_total", "g", "h_seconds", "odd"}) {
    for (const Level level : kLevels) {
      const auto before = points(folder.file(), family, level);
      const auto after = points(folder.file("copy.db"), family, level);
      ASSERT_EQ(before.size(), after.size());
      for (std::size_t i = 0; i < before.size(); i++) {
        EXPECT_EQ(before[i].first, after[i].first);
        EXPECT_EQ(before[i].second.slots, after[i].second.slots);
      }
    }
  }
}

TEST_F(TransferTest, AnImportThatIsRepeatedChangesNothing) {
  const std::string text = export_of(folder.file(), kAll);
  const auto again = import_of(folder.file(), text, Format::jsonl);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->points, 0U);
  EXPECT_EQ(again->known + 1, again->lines) << "the event is known, too";
  EXPECT_EQ(export_of(folder.file(), kAll), text);
}

TEST_F(TransferTest, AnImportFillsAHoleBesideARunningAgent) {
  const std::string text = export_of(folder.file(), {.format = Format::jsonl});
  auto store = open_store({.path = folder.file("b.db")});
  // The agent of b observes the last hour and goes on while the import brings what was before.
  Service service;
  run_service(*store, service, 0, 3600, 30, kMidnight + 8 * 3600);
  const auto imported = import_of(folder.file("b.db"), text, Format::jsonl);
  ASSERT_TRUE(imported) << imported.error().text();
  EXPECT_GT(imported->known, 0U);
  EXPECT_GT(imported->points, 0U);
  run_service(*store, service, 3630, 7200, 30, kMidnight + 8 * 3600);
  const auto w = store->window(kMidnight, kMidnight + 10 * 3600);
  EXPECT_EQ(w.from, kMidnight);
  EXPECT_EQ(w.to, kMidnight + 10 * 3600);
  EXPECT_EQ(w.change("c_total"), 5.0 * 10 * 3600);
  EXPECT_EQ(w.histogram("h_seconds").count(), 10U * 3600);
}

TEST_F(TransferTest, CsvIsForPeopleAndCarriesScalars) {
  Exported exported;
  const std::string text =
      export_of(folder.file(), {.levels = {Level::hour}, .quantiles = {0.5, 0.999}}, &exported);
  const auto lines = lines_of(text);
  EXPECT_EQ(lines.size(), exported.points + 1);
  EXPECT_EQ(lines[0],
            "series,labels,type,level,from,to,value,growth,min,max,mean,count,sum,p50,p99.9");
  for (const std::string& line : lines) {
    const auto cells = csv_cells(line);
    ASSERT_TRUE(cells);
    EXPECT_EQ(cells->size(), 15U) << line;
  }
  EXPECT_NE(
      text.find("c_total,\"{\"\"k\"\":\"\"v\"\"}\",counter,hour,1699920000.000,1699923600.000,"
                "18000,18000,,,,,,,\n"),
      std::string::npos)
      << lines[1];
  const auto imported = import_of(folder.file("copy.db"), text, Format::csv);
  ASSERT_TRUE(imported) << imported.error().text();
  EXPECT_EQ(imported->left_out, 9U) << "histograms";
  EXPECT_EQ(imported->points + imported->left_out, exported.points);
  const auto g = points(folder.file(), "g", Level::hour);
  const auto copy = points(folder.file("copy.db"), "g", Level::hour);
  ASSERT_EQ(g.size(), copy.size());
  for (std::size_t i = 0; i < g.size(); i++) {
    EXPECT_EQ(g[i].second.value, copy[i].second.value);
    EXPECT_EQ(g[i].second.most, copy[i].second.most);
    EXPECT_NEAR(g[i].second.mean, copy[i].second.mean, 0.01);
  }
}

TEST_F(TransferTest, SelectsByNameLabelTimeAndLevel) {
  const auto count = [&](const ExportOptions& options) {
    Exported exported;
    export_of(folder.file(), options, &exported);
    return exported.points;
  };
  EXPECT_EQ(count({.series = {"c_*"}, .levels = {Level::hour}}), 9U);
  EXPECT_EQ(count({.series = {"c_*", "g"}, .levels = {Level::hour}}), 18U);
  EXPECT_EQ(count({.labels = {{"stage", "risk"}}, .levels = {Level::hour}}), 9U);
  EXPECT_EQ(count({.series = {"g"}, .from = kMidnight + 3600, .to = kMidnight + 7200}), 60U);
  EXPECT_EQ(count({.series = {"nothing"}}), 0U);
}

TEST_F(TransferTest, OpenMetricsEndsAndGroupsFamilies) {
  const std::string text = export_of(
      folder.file(), {.format = Format::openmetrics, .from = kMidnight, .to = kMidnight + 600});
  EXPECT_TRUE(text.ends_with("# EOF\n"));
  EXPECT_NE(text.find("# TYPE c counter\nc_total{k=\"v\"} 300 1699920060.000\n"), std::string::npos)
      << text.substr(0, 400);
  EXPECT_NE(text.find("h_seconds_bucket{stage=\"risk\",le=\"+Inf\"} 60 1699920060.000\n"),
            std::string::npos);
  EXPECT_NE(text.find("h_seconds_count{stage=\"risk\"} 600 1699920600.000\n"), std::string::npos);
  std::set<std::string> seen;
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with("# TYPE")) {
      EXPECT_TRUE(seen.insert(line).second) << line;
    }
  }
  EXPECT_NE(text.find("# TYPE h_seconds histogram\n"
                      "h_seconds_created{stage=\"risk\"} 1699920000.000 1699920060.000\n"),
            std::string::npos);
}

TEST_F(TransferTest, OpenMetricsComesBackAsTheSameText) {
  for (const Level level : kLevels) {
    Exported exported;
    const std::string text =
        export_of(folder.file(), {.format = Format::openmetrics, .levels = {level}}, &exported);
    const std::string copy = folder.file(std::string(name_of(level)) + ".db");
    const auto imported = import_of(copy, text, Format::openmetrics);
    ASSERT_TRUE(imported) << imported.error().text();
    EXPECT_EQ(imported->points, exported.points);
    EXPECT_EQ(imported->series, exported.series);
    EXPECT_EQ(imported->backward + imported->not_a_number + imported->by_bucket.size(), 0U);
    EXPECT_EQ(export_of(copy, {.format = Format::openmetrics, .levels = {imported->level}}), text)
        << name_of(level) << ": byte for byte";
    const auto again = import_of(copy, text, Format::openmetrics);
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(again->known, exported.points) << "a repeated import changes nothing";
  }
}

TEST_F(TransferTest, OpenMetricsCarriesHistogramsAsWhatTheyAre) {
  const ExportOptions options{.format = Format::openmetrics, .series = {"h_seconds", "c_total"}};
  const auto imported =
      import_of(folder.file("copy.db"), export_of(folder.file(), options), Format::openmetrics);
  ASSERT_TRUE(imported) << imported.error().text();
  EXPECT_EQ(imported->level, Level::minute);
  const auto before = points(folder.file(), "h_seconds", Level::minute);
  const auto after = points(folder.file("copy.db"), "h_seconds", Level::minute);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); i++) {
    EXPECT_EQ(before[i].first, after[i].first) << "the first one too: it tells its begin";
    Total a;
    Total b;
    a.add(before[i].first, before[i].second);
    b.add(after[i].first, after[i].second);
    EXPECT_EQ(a.histogram().count(), b.histogram().count());
    EXPECT_EQ(a.histogram().sum_ns, b.histogram().sum_ns);
    EXPECT_NEAR(b.histogram().quantile(0.5) / a.histogram().quantile(0.5), 1, 0.5)
        << "within a classic bucket";
  }
  const auto counted = points(folder.file(), "c_total", Level::minute);
  const auto copied = points(folder.file("copy.db"), "c_total", Level::minute);
  ASSERT_EQ(counted.size(), copied.size());
  EXPECT_EQ(copied.back().second.growth, counted.back().second.growth);
}

TEST(Import, SumsOfAnyLengthComeBackAsTheSameText) {
  const Folder folder;
  std::string lines;
  std::uint64_t sum = 7;
  for (int i = 1; i <= 60; i++, sum += sum / 2 + 12'345'678'901ULL) {
    if (sum > 1'000'000'000'000'000'000ULL) sum = 999'999'999'999'999ULL;
    const auto begin = static_cast<std::int64_t>(kMidnight) + 60 * i;
    lines += R"({"series":"h","type":"histogram","level":"minute","buckets":[[100,3]],"from":)" +
             std::to_string(begin) + ",\"to\":" + std::to_string(begin + 60) +
             ",\"sum_ns\":" + std::to_string(sum / 8) + "}\n";
  }
  ASSERT_TRUE(import_of(folder.file(), lines, Format::jsonl));
  const ExportOptions options{.format = Format::openmetrics};
  const std::string text = export_of(folder.file(), options);
  ASSERT_TRUE(import_of(folder.file("copy.db"), text, Format::openmetrics));
  EXPECT_EQ(export_of(folder.file("copy.db"), options), text);
}

TEST(Import, AnIntervalMayBeLongerThanABlocksPeriod) {
  const Folder folder;
  const auto raw = [](std::int64_t from, std::int64_t to) {
    const auto begin = static_cast<std::int64_t>(kMidnight);
    return R"({"series":"g","labels":{},"type":"gauge","level":"raw","from":)" +
           std::to_string(begin + from) + ".000,\"to\":" + std::to_string(begin + to) +
           ".000,\"value\":3,\"min\":3,\"max\":3,\"mean\":3}\n";
  };
  const std::string all = raw(0, 10) + raw(10, 70'000) + raw(70'000, 70'010);
  const auto imported = import_of(folder.file(), all, Format::jsonl);
  ASSERT_TRUE(imported) << imported.error().text();
  EXPECT_EQ(imported->points, 3U);
  EXPECT_EQ(export_of(folder.file(), {.format = Format::jsonl, .levels = {Level::raw}}), all);
  const auto again = import_of(folder.file(), all, Format::jsonl);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->known, 3U);
  // Within one that begins some periods before, and over one that begins some periods after.
  ASSERT_TRUE(import_of(folder.file(), raw(100'000, 100'010), Format::jsonl));
  const auto over =
      import_of(folder.file(), raw(60'000, 60'010) + raw(80'000, 120'000), Format::jsonl);
  ASSERT_TRUE(over);
  EXPECT_EQ(over->points, 0U);
}

// One that no drain ended for long. It begins many periods before its middle.
TEST(Import, AnIntervalOfAnyLengthIsFoundFromWithin) {
  constexpr std::int64_t kDays = 86'400;
  for (const Level level : kLevels) {
    const Folder folder;
    const auto line = [&](std::int64_t from, std::int64_t to) {
      const auto begin = static_cast<std::int64_t>(kMidnight);
      return R"({"series":"g","labels":{},"type":"gauge","level":")" + std::string(name_of(level)) +
             "\",\"from\":" + std::to_string(begin + from) +
             ".000,\"to\":" + std::to_string(begin + to) +
             ".000,\"value\":3,\"min\":3,\"max\":3,\"mean\":3}\n";
    };
    const std::string one = line(-3600, 0);
    const std::string of_long = line(0, 399 * kDays);
    const std::string other = line(399 * kDays, 399 * kDays + 3600);
    const auto imported = import_of(folder.file(), one + of_long + other, Format::jsonl);
    ASSERT_TRUE(imported) << imported.error().text();
    EXPECT_EQ(imported->points, 3U);
    ExportOptions options{.format = Format::jsonl, .levels = {level}};
    options.from = kMidnight + 190.0 * kDays;
    EXPECT_EQ(export_of(folder.file(), options), of_long + other) << "its middle is behind";
    options.to = kMidnight + 210.0 * kDays;
    EXPECT_EQ(export_of(folder.file(), options), of_long);
    options.from = kMidnight + 200.0 * kDays;
    EXPECT_EQ(export_of(folder.file(), options), "") << "the half without its middle";
    const auto over = import_of(folder.file(), line(100 * kDays, 100 * kDays + 60), Format::jsonl);
    ASSERT_TRUE(over) << over.error().text();
    EXPECT_EQ(over->points, 0U) << "the series has something at that time already";

    const auto reader = Reader::open(folder.file());
    ASSERT_TRUE(reader) << reader.error().text();
    const auto series = (*reader)->series("g");
    ASSERT_TRUE(series);
    const std::int64_t middle = kMidnightMs + 399 * kDays * 1000 / 2;
    std::vector<Interval> found;
    const auto done = (*reader)->read(*series, {middle, middle + 1, level},
                                      [&](std::size_t, Level, const Interval& i, const Cell&) {
                                        found.push_back(i);
                                        return true;
                                      });
    ASSERT_TRUE(done) << done.error().text();
    ASSERT_EQ(found.size(), 1U) << name_of(level);
    EXPECT_EQ(found[0].from, kMidnightMs);
  }
}

TEST_F(TransferTest, ASinkThatTakesNoMoreEndsTheExport) {
  auto reader = Reader::open(folder.file());
  std::size_t pieces = 0;
  const auto done = export_history(**reader, kAll, [&](std::string_view piece) {
    EXPECT_LT(piece.size(), 200'000U) << "in pieces";
    return ++pieces < 3;
  });
  ASSERT_TRUE(done);
  EXPECT_EQ(pieces, 3U);
}

TEST(Import, SaysLineAndPlaceAndTakesNothingOfAFileWithAMistake) {
  const Folder folder;
  const std::string good =
      R"({"series":"g","labels":{"k":"v"},"type":"gauge","level":"minute","from":60,"to":120,"value":3})"
      "\n";
  struct Case {
    std::string line;
    const char* says;
  };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string line = good.substr(0, good.size() - 1);
    line.replace(line.find(from), from.size(), to);
    return line;
  };
  const std::vector<Case> cases{
      {"{\"series\":", "test.jsonl:2:11: this is no JSON"},
      {"[1]", "test.jsonl:2:1: this is no object"},
      {with("\"series\":\"g\",", ""), "'series' is missing"},
      {with("\"gauge\"", "\"summary\""), "'type' is missing, or not what"},
      {with("\"minute\"", "\"day\""), "'level' is missing, or not what"},
      {with("60", "\"now\""), "'from' is missing"},
      {with("120", "60"), "'to' is not later than 'from'"},
      {with("120", "1e10"), "cannot last"},
      {with("120", "2e10"), "no time of ours"},  // 2603: beyond what a key of a block holds
      {with("60", "-60"), "no time of ours"},
      {with("3}", "\"three\"}"), "'value' is missing"},
      {with("3}", "1e999}"), "a number is larger than any double"},
      {with("{\"k\":\"v\"}", "{\"k\":7}"), "the label 'k' is no text"},
      {with("{\"k\":\"v\"}", "[]"), "'labels' is no object"},
      {with("\"gauge\"", "\"counter\""), "'growth' is missing"},
      {with("\"gauge\"", "\"histogram\""), "'buckets' is missing"},
      {with("\"value\":3", "\"buckets\":[[256,1]]"), "'value' is missing"},
      {R"({"event":"x","at":"y"})", "'at' is missing"},
      {std::string(2U << 20U, 'x'), "longer than 1 MB"}};
  for (const Case& c : cases) {
    const auto imported = import_of(folder.file(), good + c.line + "\n", Format::jsonl);
    ASSERT_FALSE(imported) << c.line;
    EXPECT_NE(imported.error().text().find(c.says), std::string::npos)
        << imported.error().text() << "\nwanted: " << c.says;
    EXPECT_NE(imported.error().text().find("test.jsonl:2:"), std::string::npos);
  }
  EXPECT_FALSE(std::filesystem::exists(folder.file())) << "not even the first line";
  const auto empty = import_of(folder.file(), "\n\n", Format::jsonl);
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->lines, 0U);
}

TEST(Import, ALineWithoutAnEndIsNotKeptWhole) {
  const Folder folder;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  const std::string text(16U << 20U, 'x');
  ASSERT_EQ(std::fwrite(text.data(), 1, text.size(), file.get()), text.size());
  const auto imported = import_history(folder.file(), file.get(), "test.jsonl", Format::jsonl);
  ASSERT_FALSE(imported);
  EXPECT_NE(imported.error().what.find("test.jsonl:1: the line is longer"), std::string::npos)
      << imported.error().what;
  EXPECT_LT(std::ftell(file.get()), 2 << 20) << "what comes behind it is not read";
}

TEST(Import, SaysTheColumnOfACsv) {
  const Folder folder;
  const std::string head = "series,labels,type,level,from,to,value,growth,min,max,mean\n";
  struct Case {
    std::string text;
    const char* says;
  };
  for (const Case& c : std::vector<Case>{
           {"a,b\n", "test.csv:1: the head has no column 'series'"},
           {head + "g,{},gauge,minute,60,120\n", "test.csv:2: 6 cells where the head has 11"},
           {head + "g,{},gauge,minute,60,120,3,,1,x,2\n", "test.csv:2: column 10 (max): 'x' is no"},
           {head + "g,\"{,gauge,minute,60,120,3,,1,2,2\n", "test.csv:2: a quote is not closed"},
           {head + "g,{,gauge,minute,60,120,3,,1,2,2\n",
            "column 2 (labels): 'labels' is no object"},
           {head + "g,{},thing,minute,60,120,3,,1,2,2\n", "column 3 (type): 'thing' is no type"},
           {head + "g,{},counter,minute,60,120,3,-1,,,\n", "'growth' of a counter"}}) {
    const auto imported = import_of(folder.file(), c.text, Format::csv);
    ASSERT_FALSE(imported) << c.text;
    EXPECT_NE(imported.error().text().find(c.says), std::string::npos) << imported.error().text();
  }
  const auto done =
      import_of(folder.file(), head + "g,,gauge,minute,60,120,3,,1,4,2\r\n", Format::csv);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->points, 1U);
}

TEST(Import, KnowsWhatOverlapsAndTakesLinesInAnyOrder) {
  const Folder folder;
  const auto line = [](int from, int to, int value) {
    return "{\"series\":\"g\",\"type\":\"gauge\",\"level\":\"minute\",\"from\":" +
           std::to_string(from) + ",\"to\":" + std::to_string(to) +
           ",\"value\":" + std::to_string(value) + "}\n";
  };
  const auto first = import_of(
      folder.file(), line(180, 240, 3) + line(60, 120, 1) + line(90, 150, 9) + line(120, 180, 2),
      Format::jsonl);
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(first->points, 3U);
  EXPECT_EQ(first->known, 1U);
  const auto second = import_of(
      folder.file(), line(0, 60, 7) + line(1, 60, 7) + line(230, 300, 8) + line(240, 300, 4),
      Format::jsonl);
  ASSERT_FALSE(second) << "0 is no time";
  const auto third = import_of(
      folder.file(), line(1, 60, 7) + line(230, 300, 8) + line(240, 300, 4), Format::jsonl);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->points, 2U);
  const auto all = points(folder.file(), "g", Level::minute);
  ASSERT_EQ(all.size(), 5U);
  const double values[] = {7, 1, 2, 3, 4};
  for (std::size_t i = 0; i < 5; i++) EXPECT_EQ(all[i].second.value, values[i]);
}

TEST(Import, ADamagedBlockThatIsAddedToIsCounted) {
  const Folder folder;
  const auto minute = [](double from) {
    const auto begin = static_cast<std::int64_t>(from);
    return R"({"series":"g","type":"gauge","level":"minute","value":3,"from":)" +
           std::to_string(begin) + ",\"to\":" + std::to_string(begin + 60) + "}\n";
  };
  const auto first = import_of(folder.file(), minute(kMidnight), Format::jsonl);
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(first->damaged, 0U);
  {
    auto opened = open_to_write(folder.file());
    ASSERT_TRUE(opened);
    (*opened)->run("UPDATE blocks SET data='x'");
    ASSERT_TRUE((*opened)->outcome());
  }
  const auto second = import_of(folder.file(), minute(kMidnight + 60), Format::jsonl);
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_EQ(second->points, 1U);
  EXPECT_EQ(second->damaged, 1U);
}

TEST(Import, ASeriesStaysAsLongAsItsLatestPoint) {
  const Folder folder;
  const auto hour = [](double from) {
    const auto begin = static_cast<std::int64_t>(from);
    return R"({"series":"g","type":"gauge","level":"hour","value":3,"from":)" +
           std::to_string(begin) + ",\"to\":" + std::to_string(begin + 3600) + "}\n";
  };
  const double old = kMidnight - 100 * kDay;
  const auto imported = import_of(folder.file(), hour(old) + hour(kMidnight), Format::jsonl);
  ASSERT_TRUE(imported) << imported.error().text();
  {
    auto opened = open_to_write(folder.file());
    ASSERT_TRUE(opened);
    const std::int64_t day = 86'400'000;
    const Retention::Limits limits{{day, day, 30 * day}, std::uint64_t{1} << 40U};
    Retention(limits).step(**opened, std::llround(kMidnight * 1000) + day, true);
    ASSERT_TRUE((*opened)->outcome());
  }
  const auto left = points(folder.file(), "g", Level::hour);
  ASSERT_EQ(left.size(), 1U) << "the old one goes alone";
  EXPECT_EQ(left[0].first.from, std::llround(kMidnight * 1000));
}

}  // namespace
}  // namespace nz::store
