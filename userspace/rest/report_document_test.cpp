// Which events a report of the agent tells.
#include "userspace/rest/report_document.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "userspace/report/document/writers.h"
#include "userspace/rest/fake_source.h"

namespace nz::rest {
namespace {

using testing::kNow;
using testing::kStart;

class Kept : public testing::FakeSource {
 public:
  [[nodiscard]] std::optional<std::vector<analysis::Event>> events(double from,
                                                                   double to) const override {
    from_ = from;
    to_ = to;
    return on_disk;
  }
  std::optional<std::vector<analysis::Event>> on_disk;
  mutable double from_ = 0, to_ = 0;
};

std::string report_of(const Kept& source) {
  return report::to_json(
      report_document(source, *source.view(), "", {kStart + 60, kNow}, report::Compare{}));
}

bool tells(const std::string& text, const char* what) {
  return text.find(what) != std::string::npos;
}

TEST(ReportDocument, EventsOnDiskTakeThePlaceOfThoseInMemory) {
  Kept source;
  source.change([](View& view) {
    report::Extras extras;
    extras.events.emplace();
    extras.events->push_back({kStart + 120, "config_reload", "host", "known in memory"});
    view.extras = std::make_shared<const report::Extras>(std::move(extras));
  });
  EXPECT_TRUE(tells(report_of(source), "known in memory")) << "nothing is kept on disk";
  source.on_disk.emplace();
  EXPECT_TRUE(tells(report_of(source), "known in memory")) << "the disk has none";
  source.on_disk->push_back({kStart + 90, "new_build", "demo", "kept on disk"});
  const std::string text = report_of(source);
  EXPECT_TRUE(tells(text, "kept on disk"));
  EXPECT_FALSE(tells(text, "known in memory"));
  EXPECT_EQ(source.from_, kStart + 60 - 600) << "what happened before may explain a change";
  EXPECT_EQ(source.to_, kNow);
}

}  // namespace
}  // namespace nz::rest
