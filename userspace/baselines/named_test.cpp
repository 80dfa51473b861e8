#include "userspace/baselines/named.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "userspace/store/database.h"
#include "userspace/store/test_store.h"

namespace nz::baselines {
namespace {

using store::testing::Folder;
using store::testing::kMidnight;
using store::testing::open_store;
using store::testing::run_service;
using store::testing::Service;

analysis::NamedBaseline made(const std::string& name, double from = 1000) {
  analysis::Window window;
  window.from = from;
  window.to = from + 60;
  analysis::WindowSeries gauge;
  gauge.name = "g";
  gauge.value = 5;
  window.series.push_back(gauge);
  const std::vector<analysis::Window> windows(6, window);
  return analysis::baseline_of(name, windows);
}

std::unique_ptr<store::Reader> reader_of(const std::string& path) {
  auto reader = store::Reader::open(path);
  EXPECT_TRUE(reader) << reader.error().text();
  return reader ? std::move(*reader) : nullptr;
}

TEST(Named, ARangeOfHistoryIsKeptBesideTheAgentThatWrites) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Service service;
  run_service(*store, service, 0, 1200, 10);
  {
    const auto reader = reader_of(folder.file());
    const auto slices = slices_of(*reader, kMidnight, kMidnight + 1200);
    ASSERT_TRUE(slices) << slices.error().text();
    ASSERT_EQ(slices->size(), kSlices);
    const auto kept =
        keep(folder.file(), analysis::baseline_of("release-1.4", *slices), kMidnight + 1300, false);
    ASSERT_TRUE(kept) << kept.error().text();
  }
  run_service(*store, service, 1210, 1300, 10);  // the agent goes on
  const auto reader = reader_of(folder.file());
  const auto all = heads(*reader);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ((*all)[0].name, "release-1.4");
  EXPECT_EQ((*all)[0].created, kMidnight + 1300);
  EXPECT_EQ((*all)[0].from, kMidnight);
  EXPECT_EQ((*all)[0].to, kMidnight + 1200);
  EXPECT_GT((*all)[0].bytes, 100U);
  const auto baseline = find(*reader, "release-1.4");
  ASSERT_TRUE(baseline) << baseline.error().text();
  EXPECT_EQ(baseline->series.size(), (*all)[0].series);
  std::uint64_t values = 0;
  for (const auto& series : baseline->series) {
    if (series.name == "h_seconds") values += analysis::merged(series.slices).count();
    if (series.name == "c_total") {
      EXPECT_EQ(series.values, std::vector<double>(kSlices, 5));
    }
  }
  EXPECT_EQ(values, 1200U) << "one a second, none twice";
}

TEST(Named, PartsWithoutRecordsAreLeftOut) {
  const Folder folder;
  auto store = open_store({.path = folder.file()});
  Service service;
  run_service(*store, service, 0, 600, 10);
  const auto reader = reader_of(folder.file());
  const auto slices = slices_of(*reader, kMidnight - 600, kMidnight + 600);
  ASSERT_TRUE(slices);
  EXPECT_EQ(slices->size(), kSlices / 2);
  const auto none = slices_of(*reader, kMidnight - 7200, kMidnight - 3600);
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
  const auto stopped = slices_of(*reader, kMidnight, kMidnight + 600,
                                 [](std::size_t, std::size_t) { return false; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, EINTR);
}

TEST(Named, OneOfANameUnlessItIsToBeReplaced) {
  const Folder folder;
  ASSERT_TRUE(keep(folder.file(), made("a", 1000), 1, false));
  const auto twice = keep(folder.file(), made("a", 2000), 2, false);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, EEXIST);
  EXPECT_EQ(find(*reader_of(folder.file()), "a")->from, 1000);
  ASSERT_TRUE(keep(folder.file(), made("a", 2000), 2, true));
  EXPECT_EQ(find(*reader_of(folder.file()), "a")->from, 2000);
  ASSERT_TRUE(keep(folder.file(), made("b"), 3, false));

  const auto unknown = find(*reader_of(folder.file()), "c");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ENOENT);
  EXPECT_NE(unknown.error().text().find("there are: a, b"), std::string::npos);
  EXPECT_EQ(remove(folder.file(), "c").error().code, ENOENT);
  ASSERT_TRUE(remove(folder.file(), "a"));
  EXPECT_EQ(remove(folder.file(), "a").error().code, ENOENT);
  EXPECT_EQ(heads(*reader_of(folder.file()))->size(), 1U);
  const auto nowhere = remove(folder.file("other.db"), "a");
  ASSERT_FALSE(nowhere);
  EXPECT_FALSE(std::filesystem::exists(folder.file("other.db")));
}

TEST(Named, ThereIsAnEnd) {
  const Folder folder;
  for (std::size_t i = 0; i < kMostNamed; i++)
    ASSERT_TRUE(keep(folder.file(), made("n" + std::to_string(i)), 1, false)) << i;
  const auto more = keep(folder.file(), made("more"), 1, false);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, ENOSPC);
  EXPECT_TRUE(keep(folder.file(), made("n0"), 2, true)) << "instead of itself";
}

TEST(Named, NamesAreThoseThatRulesMayUse) {
  for (const char* good : {"release-1.4", "a", "2026-11-27T09:00", "A_b.c:d-e"})
    EXPECT_TRUE(check_name(good)) << good;
  for (const std::string& bad :
       {std::string(), std::string("a b"), std::string("a/b"), std::string("a\n"),
        std::string("\xc3\xbc"), std::string(64, 'a'), std::string("hour_of_week")}) {
    const auto checked = check_name(bad);
    EXPECT_FALSE(checked) << bad;
    for (const char c : checked.error().text()) EXPECT_TRUE(c >= ' ' && c <= '~');
  }
  EXPECT_TRUE(check_name(std::string(63, 'a')));
}

TEST(Named, DamagedOnesAreTold) {
  const Folder folder;
  ASSERT_TRUE(keep(folder.file(), made("a"), 1, false));
  {
    auto opened = store::open_to_write(folder.file());
    ASSERT_TRUE(opened);
    (*opened)->run("UPDATE state SET value='x'");
    ASSERT_TRUE((*opened)->outcome());
  }
  const auto reader = reader_of(folder.file());
  const auto all = heads(*reader);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ((*all)[0].name, "a") << "so that it can be removed";
  const auto damaged = find(*reader, "a");
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, store::kDamaged);
  EXPECT_TRUE(remove(folder.file(), "a"));
}

TEST(Head, ComesBackAsItWas) {
  const Head head{"release-1.4", 3, 1, 2, 7, 1, 1000};
  const auto back = head_from(text_of(head));
  ASSERT_TRUE(back);
  EXPECT_EQ(text_of(*back), text_of(head));
  for (const char* bad : {"", "{}", "[]", "null", "{\"name\":1}"}) EXPECT_FALSE(head_from(bad));
}

}  // namespace
}  // namespace nz::baselines
