#include "userspace/agent/errands.h"

#include <gtest/gtest.h>

#include "userspace/rest/fake_source.h"
#include "userspace/store/test_store.h"

namespace nz::agent {
namespace {

std::shared_ptr<const rest::Report> report(const std::string& id) {
  rest::Report r;
  r.id = id;
  r.created = rest::testing::kNow;
  return std::make_shared<const rest::Report>(r);
}

TEST(Errands, ReportsAreInTheStoreWhileItLives) {
  const store::testing::Folder folder;
  const auto store = store::testing::open_store({.path = folder.file()});
  const rest::testing::FakeSource source;
  std::shared_ptr<rest::ReportStore> kept;
  {
    Errands errands(source);
    kept = errands.kept();
    errands.configure({});
    errands.start(store.get());
    kept->put(report("r"));
    EXPECT_TRUE(kept->find("r"));
    EXPECT_EQ(errands.forecasts(), nullptr) << "nobody has looked yet";
    std::vector<metrics::Family> families;
    errands.collect(families);
    EXPECT_EQ(families.size(), 8U);
  }
  EXPECT_TRUE(store->report("r"));
  EXPECT_FALSE(kept->find("r"));
}

TEST(Errands, WithoutAStoreMemoryIsEnough) {
  const rest::testing::FakeSource source;
  Errands errands(source);
  errands.start(nullptr);
  errands.kept()->put(report("r"));
  EXPECT_TRUE(errands.kept()->find("r"));
}

}  // namespace
}  // namespace nz::agent
