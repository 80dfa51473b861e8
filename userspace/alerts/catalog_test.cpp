// The catalog against the document: a family that is in one and not in the other is a mistake in
// one of them.
#include "userspace/alerts/catalog.h"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>

namespace nz::alerts {
namespace {

// The first column of docs/metrics.md's table. `_completed_total` continues the name before it,
// from its last part on.
std::set<std::string> documented() {
  std::ifstream in(std::string(NZ_SOURCE) + "/docs/metrics.md");
  std::set<std::string> names;
  std::string line;
  while (std::getline(in, line)) {
    if (!line.starts_with("| `")) continue;
    std::string cell = line.substr(1, line.find('|', 1) - 1);
    std::smatch found;
    std::string first;
    for (const std::regex name("`([a-z_*]+)`"); std::regex_search(cell, found, name);
         cell = found.suffix()) {
      std::string text = found[1];
      if (text.starts_with('_')) {
        // order_stage_started_total, _completed_total
        text = first.substr(0, first.find("_started")) + text;
      } else {
        first = text;
      }
      names.insert(text);
    }
  }
  return names;
}

TEST(Catalog, IsTheDocument) {
  const auto names = documented();
  ASSERT_GT(names.size(), 80U);
  std::set<std::string> known;
  for (const CatalogEntry& entry : catalog()) {
    EXPECT_TRUE(known.insert(std::string(entry.name)).second) << entry.name << " is there twice";
    // docs/metrics.md says `http_*`.
    if (entry.name.starts_with("http_")) continue;
    EXPECT_TRUE(names.contains(std::string(entry.name))) << entry.name << " is not documented";
  }
  for (const std::string& name : names) {
    if (name.find('*') != std::string::npos) continue;
    EXPECT_TRUE(known.contains(name)) << name << " is documented and not in the catalog";
  }
}

TEST(Catalog, TypesFollowTheNames) {
  for (const CatalogEntry& entry : catalog()) {
    EXPECT_EQ(entry.name.ends_with("_total"), entry.type == metrics::Type::counter) << entry.name;
    if (entry.type == metrics::Type::histogram) {
      EXPECT_TRUE(entry.name.ends_with("_seconds")) << entry.name;
    }
  }
}

TEST(Catalog, FindsByFullNameAndNearest) {
  ASSERT_NE(find_family("nearzero_runqueue_latency_seconds"), nullptr);
  EXPECT_TRUE(find_family("nearzero_runqueue_latency_seconds")->has_label("target"));
  EXPECT_FALSE(find_family("nearzero_runqueue_latency_seconds")->has_label("targe"));
  EXPECT_EQ(find_family("runqueue_latency_seconds"), nullptr);
  EXPECT_EQ(nearest_family("nearzero_runqueue_latency_secs"), "nearzero_runqueue_latency_seconds");
  EXPECT_EQ(nearest_family("order_stage_duration_seconds"),
            "nearzero_order_stage_duration_seconds");
}

}  // namespace
}  // namespace nz::alerts
