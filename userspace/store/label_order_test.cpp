// A text may have the labels of a series in another order than the agent: Prometheus sorts them.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "userspace/store/database.h"
#include "userspace/store/schema.h"
#include "userspace/store/series_table.h"
#include "userspace/store/test_store.h"
#include "userspace/store/test_transfer.h"

namespace nz::store {
namespace {

using namespace testing;

constexpr int kHourSeconds = 3600;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

class LabelOrder : public ::testing::Test {
 protected:
  const Folder folder;

  // An hour of drains, each of which finds 5 a second.
  static void observe(Store& store, double start, const metrics::Labels& labels = ours()) {
    for (int s = 0; s <= kHourSeconds; s += 30) {
      add(store, start + s, {counter("c_total", 5.0 * s, labels)});
      if (s % 90 == 0) save(store);
    }
    save(store);
  }
  static metrics::Labels ours() { return {{"target", "gw"}, {"stage", "risk"}}; }
  static metrics::Labels sorted() { return {{"stage", "risk"}, {"target", "gw"}}; }

  /// The minutes of a file, with the labels of each line sorted.
  [[nodiscard]] std::string sorted_text(const std::string& file, Format format) const {
    const std::string text = export_of(folder.file(file), {.format = format});
    const std::string other =
        format == Format::jsonl
            ? replaced(text, R"("target":"gw","stage":"risk")", R"("stage":"risk","target":"gw")")
            : replaced(text, R"(target="gw",stage="risk")", R"(stage="risk",target="gw")");
    EXPECT_NE(text, other) << text.substr(0, 300);
    return other;
  }
  [[nodiscard]] std::vector<StoredSeries> series() const {
    const auto reader = Reader::open(folder.file());
    EXPECT_TRUE(reader) << reader.error().text();
    const auto all = (*reader)->series("c_total");
    EXPECT_TRUE(all);
    return *all;
  }
  void expect_one_of_the_agents() const {
    const auto all = series();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_LT(all[0].id, kFirstImportedId);
    EXPECT_EQ(all[0].series.labels, ours());
  }
  /// The hour before midnight, by another agent.
  [[nodiscard]] std::string hour_before() const {
    observe(*open_store({.path = folder.file("other.db")}), kMidnight - kHourSeconds);
    return sorted_text("other.db", Format::jsonl);
  }
};

TEST_F(LabelOrder, WhatTheAgentHasIsKnown) {
  observe(*open_store({.path = folder.file()}), kMidnight);
  for (const Format format : {Format::jsonl, Format::openmetrics}) {
    const auto imported = import_of(folder.file(), sorted_text("history.db", format), format);
    ASSERT_TRUE(imported) << imported.error().text();
    EXPECT_EQ(imported->points, 0U);
    EXPECT_GT(imported->known, 0U);
  }
  expect_one_of_the_agents();
  EXPECT_EQ(growth_of(folder.file(), Level::minute), 5.0 * kHourSeconds);
}

TEST_F(LabelOrder, AnAgentThatStartsLaterGoesOnWithWhatWasImported) {
  const auto imported = import_of(folder.file(), hour_before(), Format::jsonl);
  ASSERT_TRUE(imported) << imported.error().text();
  ASSERT_EQ(series().size(), 1U);
  EXPECT_EQ(series()[0].series.labels, sorted());
  observe(*open_store({.path = folder.file()}), kMidnight);
  ASSERT_EQ(series().size(), 1U);
  EXPECT_EQ(series()[0].series.labels, ours()) << "as the agent's other series have them";
  EXPECT_EQ(growth_of(folder.file(), Level::minute), 2 * 5.0 * kHourSeconds);
}

TEST_F(LabelOrder, AnImportBesideTheAgentMayComeFirst) {
  const std::string before = hour_before();
  const auto store = open_store({.path = folder.file()});
  add(*store, kMidnight - 60, {gauge("g", 1)});
  save(*store);
  ASSERT_TRUE(import_of(folder.file(), before, Format::jsonl));
  EXPECT_GE(series().at(0).id, kFirstImportedId);
  observe(*store, kMidnight);
  expect_one_of_the_agents();
  EXPECT_EQ(growth_of(folder.file(), Level::minute), 2 * 5.0 * kHourSeconds);
  const auto again = import_of(folder.file(), before, Format::jsonl);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->points, 0U);
}

TEST_F(LabelOrder, OneTextMayHaveBoth) {
  const auto line = [](const char* labels, int n) {
    return std::string("c_total{") + labels + "} " + std::to_string(10 * n) + ' ' +
           std::to_string(static_cast<std::int64_t>(kMidnight) + 60 * n) + '\n';
  };
  const char* both[] = {R"(a="1",b="2")", R"(b="2",a="1")"};
  std::string text = "# TYPE c counter\n";
  for (int n = 1; n <= 6; n++) text += line(both[n % 2], n);
  const auto imported = import_of(folder.file(), text + "# EOF\n", Format::openmetrics);
  ASSERT_TRUE(imported) << imported.error().text();
  EXPECT_EQ(imported->series, 1U);
  EXPECT_EQ(imported->points, 6U);
  EXPECT_EQ(series().size(), 1U);
  EXPECT_EQ(growth_of(folder.file(), Level::minute), 50);
}

// Imports of older versions made a second series.
TEST_F(LabelOrder, WhereAFileHasBothTheAgentGoesOnWithItsOwn) {
  observe(*open_store({.path = folder.file()}), kMidnight - kHourSeconds);
  {
    const auto file = open_to_write(folder.file());
    ASSERT_TRUE(file) << file.error().text();
    const std::string labels = pack_labels(sorted());
    (*file)->run("INSERT INTO series VALUES(?,'c_total',?,?,?)", kFirstImportedId, Blob{labels},
                 metrics::Type::counter, kMidnightMs);
    ASSERT_TRUE((*file)->outcome());
  }
  {
    const auto store = open_store({.path = folder.file()});
    observe(*store, kMidnight);
    EXPECT_EQ(store->window(kMidnight, kMidnight + kHourSeconds).change("c_total"),
              5.0 * kHourSeconds);
  }
  // An agent whose own order has become that of the other row: nothing fails, nothing moves.
  observe(*open_store({.path = folder.file()}), kMidnight + kHourSeconds, sorted());
  EXPECT_EQ(series().size(), 2U);
  EXPECT_EQ(growth_of(folder.file(), Level::minute), 3 * 5.0 * kHourSeconds);
}

TEST(SetKey, IsThatOfTheLabelsByName) {
  const history::Series one{"g", {{"a", "1"}, {"b", "2"}}, metrics::Type::gauge};
  const history::Series other{"g", {{"b", "2"}, {"a", "1"}}, metrics::Type::gauge};
  const history::Series swapped{"g", {{"a", "2"}, {"b", "1"}}, metrics::Type::gauge};
  EXPECT_EQ(set_key_of(one), set_key_of(other));
  EXPECT_EQ(set_key_of(one), history::key_of(one.name, one.labels, one.type));
  EXPECT_NE(set_key_of(one), set_key_of(swapped));
}

}  // namespace
}  // namespace nz::store
