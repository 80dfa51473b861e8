#include "userspace/agent/incident_state.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace nz::agent {
namespace {

using Incidents = std::vector<analysis::IncidentGrouper::Open>;

Incidents incidents() {
  analysis::IncidentGrouper::Open open;
  open.incident.id = "1000/nearzero_disk_busy_seconds_total";
  open.incident.since = 1000;
  open.incident.members = {
      {{"nearzero_disk_busy_seconds_total", {{"device", "sda"}}, "rate", "ratio"},
       1000,
       0.9,
       0.1,
       0.999}};
  open.last_joined = 1000;
  open.last_seen = 1050;
  return {open};
}

TEST(IncidentState, ComesBackAsItWas) {
  const std::string saved = save_incidents(incidents());
  const auto restored = restore_incidents(saved);
  ASSERT_TRUE(restored) << restored.error().text();
  EXPECT_EQ(save_incidents(*restored), saved);
  ASSERT_EQ(restored->size(), 1U);
  const analysis::IncidentGrouper::Open& open = restored->front();
  EXPECT_EQ(open.incident.id, incidents().front().incident.id);
  EXPECT_EQ(open.last_seen, 1050);
  ASSERT_EQ(open.incident.members.size(), 1U);
  EXPECT_EQ(open.incident.members[0].of.labels, incidents().front().incident.members[0].of.labels);
  EXPECT_EQ(open.incident.members[0].score, 0.999);
}

// An infinite value scores 1.
TEST(IncidentState, AnInfiniteValueLosesNothingElse) {
  Incidents odd = incidents();
  odd[0].incident.members[0].value = std::numeric_limits<double>::infinity();
  odd[0].incident.members[0].expected = std::numeric_limits<double>::quiet_NaN();
  const auto restored = restore_incidents(save_incidents(odd));
  ASSERT_TRUE(restored) << restored.error().text();
  EXPECT_TRUE(std::isnan(restored->front().incident.members[0].value));
}

TEST(IncidentState, AnythingElseIsAnError) {
  const std::string saved = save_incidents(incidents());
  for (std::size_t cut = 0; cut < saved.size(); cut++)
    EXPECT_FALSE(restore_incidents(std::string_view(saved).substr(0, cut))) << cut;
  for (const char* bad : {"null", "[]", "{\"version\":2,\"open\":[]}", "{\"version\":1}",
                          "{\"version\":1,\"open\":[{}]}"})
    EXPECT_FALSE(restore_incidents(bad)) << bad;
}

}  // namespace
}  // namespace nz::agent
