#include "userspace/rest/report_store.h"

#include <gtest/gtest.h>

#include <map>

namespace nz::rest {
namespace {

std::shared_ptr<const Report> report(const std::string& id, double created) {
  Report r;
  r.id = id;
  r.created = created;
  r.body = "figures of " + id;
  return std::make_shared<const Report>(r);
}

class Archive : public ReportArchive {
 public:
  Result<void> put(const Report& r) override {
    if (full) return fail("full", "");
    kept[r.id] = r;
    return {};
  }
  [[nodiscard]] std::vector<Report> list() const override {
    std::vector<Report> all;
    for (const auto& [id, r] : kept) all.push_back(r);
    return all;
  }
  [[nodiscard]] std::optional<Report> find(const std::string& id) const override {
    const auto found = kept.find(id);
    return found == kept.end() ? std::nullopt : std::optional(found->second);
  }
  std::map<std::string, Report> kept;
  bool full = false;
};

TEST(ReportStore, WhatTheArchiveDoesNotTakeStaysInMemory) {
  Archive archive;
  ReportStore store;
  store.put(report("before", 1));
  store.set_archive(&archive);
  store.put(report("kept", 2));
  archive.full = true;
  store.put(report("refused", 3));
  EXPECT_EQ(archive.kept.size(), 1U);
  const auto all = store.list();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0]->id, "refused") << "newest first";
  EXPECT_EQ(all[1]->id, "kept");
  EXPECT_EQ(all[2]->id, "before");
  for (const auto& r : all) EXPECT_EQ(store.find(r->id)->body, "figures of " + r->id);
  EXPECT_EQ(store.find("none"), nullptr);
}

TEST(ReportStore, TheSameIdReplaces) {
  ReportStore store;
  store.put(report("daily", 1));
  store.put(report("daily", 2));
  ASSERT_EQ(store.list().size(), 1U);
  EXPECT_EQ(store.find("daily")->created, 2);
}

TEST(ReportStore, AnIdIsNotGivenTwice) {
  Archive archive;
  archive.kept["20260101T000000Z-1"] = {};
  ReportStore store;
  store.set_archive(&archive);
  EXPECT_EQ(store.next_id(1'767'225'600), "20260101T000000Z-2");
}

}  // namespace
}  // namespace nz::rest
