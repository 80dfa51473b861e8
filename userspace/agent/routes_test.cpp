#include "userspace/agent/routes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "userspace/cli/live_data.h"

namespace nz::agent {
namespace {

class RoutesTest : public ::testing::Test {
 protected:
  [[nodiscard]] http::Response get(const std::string& path, const std::string& accept = {}) const {
    for (const http::Route& route : routes(box_)) {
      if (route.path != path) continue;
      http::Request request;
      request.method = "GET";
      request.path = path;
      if (!accept.empty()) request.headers.emplace_back("Accept", accept);
      return route.handler(request);
    }
    ADD_FAILURE() << "no route " << path;
    return {};
  }

  static std::shared_ptr<Snapshot> snapshot() {
    auto s = std::make_shared<Snapshot>();
    auto h = std::make_shared<analysis::Histogram>();
    h->buckets[80] = 3;
    h->buckets[81] = 1;
    h->zero = 2;
    h->sum_ns = 4000;
    h->min_ns = 20;
    h->max_ns = 1500;
    s->families.push_back({"nearzero_order_stage_duration_seconds",
                           "Duration.",
                           metrics::Type::histogram,
                           {{{{"target", "demo"}, {"stage", "ri\"sk\xff"}}, 0, h}}});
    s->families.push_back({"nearzero_off", "Off.", metrics::Type::gauge, {{{}, 0, nullptr}}});
    s->families.push_back({"nearzero_odd",
                           "Odd.",
                           metrics::Type::gauge,
                           {{{}, std::numeric_limits<double>::quiet_NaN(), nullptr}}});
    s->health = "{\"status\": \"ok\"}\n";
    return s;
  }

  std::shared_ptr<SnapshotBox> box_ = std::make_shared<SnapshotBox>();
};

TEST_F(RoutesTest, NothingIsReadyBeforeTheFirstDrain) {
  for (const char* path : {"/metrics", "/healthz", "/readyz", "/live.json"}) {
    const auto response = get(path);
    EXPECT_EQ(response.status, 503) << path;
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_NE(response.body.find("starting"), std::string::npos);
  }
}

TEST_F(RoutesTest, MetricsInTextUnlessAskedForMore) {
  box_->put(snapshot());
  const auto text = get("/metrics");
  EXPECT_EQ(text.status, 200);
  EXPECT_EQ(text.content_type.substr(0, 10), "text/plain");
  EXPECT_NE(text.body.find("nearzero_order_stage_duration_seconds_count{"), std::string::npos)
      << text.body;
  EXPECT_NE(text.body.find("} 6\n"), std::string::npos) << text.body;
  const auto native = get(
      "/metrics",
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited");
  EXPECT_NE(native.content_type.find("application/vnd.google.protobuf"), std::string::npos);
  EXPECT_NE(native.body, text.body);
  EXPECT_NE(native.body.find("nearzero_off"), std::string::npos);
}

TEST_F(RoutesTest, HealthTellsByItsStatusToo) {
  auto s = snapshot();
  box_->put(s);
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/healthz").body, s->health);
  auto worse = snapshot();
  worse->healthy = false;
  box_->put(worse);
  EXPECT_EQ(get("/healthz").status, 503);
  EXPECT_EQ(get("/healthz").content_type, "application/json");
  EXPECT_EQ(get("/readyz").status, 200) << "degraded is still ready";
}

TEST_F(RoutesTest, LiveJsonIsWhatTheCliReads) {
  box_->put(snapshot());
  const auto response = get("/live.json");
  EXPECT_EQ(response.status, 200);
  const auto j = nlohmann::json::parse(response.body);
  EXPECT_EQ(j["nearzero_order_stage_duration_seconds"][0]["buckets"],
            nlohmann::json::parse("[[80,3],[81,1]]"));
  const auto data = cli::parse_live(response.body);
  ASSERT_TRUE(data.has_value()) << data.error().text();
  ASSERT_EQ(data->histograms.size(), 1U);
  const auto& h = data->histograms.begin()->second;
  EXPECT_EQ(h.count(), 6U);
  EXPECT_EQ(h.sum_ns, 4000U);
  EXPECT_EQ(h.min_ns, 20U);
  EXPECT_EQ(h.max_ns, 1500U);
  EXPECT_EQ(data->values.at({"nearzero_off", {}}), 0);
}

}  // namespace
}  // namespace nz::agent
