// The REST interface of a running agent: the demo's orders in exact numbers, and every answer as
// configs/rest/openapi.yaml describes it.
#include <gtest/gtest.h>
#include <httplib.h>

#include <fstream>
#include <regex>

#include "tests/live/harness/agent.h"
#include "tests/openapi/openapi.h"

namespace nz::live {
namespace {

using nlohmann::json;

class RestLive : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    demo_ = new Workload("nz-demo", {"--rate", "400", "--duration", "6"});
    std::ifstream in(std::string(NZ_SOURCE) + "/configs/demo.yaml");
    const std::string yaml((std::istreambuf_iterator<char>(in)), {});
    agent_ = new Agent("drain_interval: 500ms\n" +
                       std::regex_replace(yaml, std::regex("comm: nz-demo\n"),
                                          "pid: " + std::to_string(demo_->pid()) + "\n"));
    ASSERT_TRUE(agent_->has_member(demo_->pid(), 30));
    demo_->go();
    ASSERT_EQ(demo_->wait(60), 0);
    agent_->settle();
    truth_ = new json(demo_->json());
  }
  static void TearDownTestSuite() {
    EXPECT_EQ(agent_->stop(), 0);
    delete agent_;
    delete demo_;
    delete truth_;
  }
  // Asks, and checks the answer against the description.
  static httplib::Result ask(const std::string& method, const std::string& target,
                             const httplib::Headers& headers = {}, const std::string& body = {},
                             const char* type = "application/json") {
    httplib::Client client("127.0.0.1", agent_->port());
    client.set_read_timeout(10);
    auto r = method == "POST" ? client.Post(target.c_str(), headers, body, type)
                              : client.Get(target.c_str(), headers);
    EXPECT_TRUE(r) << target;
    if (!r) return r;
    static openapi::Description description(NZ_OPENAPI);
    EXPECT_EQ(
        description.check(method, target, r->status, r->get_header_value("Content-Type"), r->body),
        "")
        << method << " " << target.substr(0, 200) << " " << r->status << "\n"
        << r->body.substr(0, 2000);
    return r;
  }
  static json get(const std::string& target) {
    const auto r = ask("GET", target);
    EXPECT_EQ(r->status, 200) << r->body;
    return json::parse(r->body, nullptr, false);
  }

  static Agent* agent_;
  static Workload* demo_;
  static json* truth_;
};

Agent* RestLive::agent_ = nullptr;
Workload* RestLive::demo_ = nullptr;
json* RestLive::truth_ = nullptr;

TEST_F(RestLive, EveryOrderIsInTheWindow) {
  const uint64_t completed = (*truth_)["orders"]["completed"];
  ASSERT_GT(completed, 1000U);
  const json j = get("/performance/metrics?window=10m&target=demo&family=nearzero_order_stage_*");
  uint64_t histogram = 0, counter = 0;
  for (const json& m : j["metrics"]) {
    if (m["labels"]["stage"] != "order") continue;
    if (m["name"] == "nearzero_order_stage_duration_seconds") {
      histogram = m["count"];
      EXPECT_GT(m["p50"], 0);
      EXPECT_GE(m["max"], m["p99.9"]);
    }
    if (m["name"] == "nearzero_order_stage_completed_total") counter = m["change"];
  }
  EXPECT_EQ(histogram, completed);
  EXPECT_EQ(counter, completed);
}

TEST_F(RestLive, ATrendOfTheOrders) {
  const json j =
      get("/performance/trends?series=nearzero_order_stage_duration_seconds&label=target:demo"
          "&label=stage:order&quantile=rate&from=-10m&step=10m");
  ASSERT_EQ(j["trends"].size(), 1U);
  ASSERT_EQ(j["trends"][0]["points"].size(), 1U);
  EXPECT_GT(j["trends"][0]["points"][0][1], 10);
  EXPECT_EQ(j["trends"][0]["unit"], "per second");
}

TEST_F(RestLive, TheWholeListInPagesAndCompressed) {
  size_t entries = 0, total = 0;
  std::string cursor;
  for (int page = 0; page < 50; page++) {
    const json j = get("/performance/metrics?limit=100" + cursor);
    entries += j["metrics"].size();
    total = j["page"]["total"];
    if (j["page"]["next_cursor"].is_null()) break;
    cursor = "&cursor=" + j["page"]["next_cursor"].get<std::string>();
  }
  EXPECT_EQ(entries, total);
  EXPECT_GT(total, 200U);
  const auto zipped = ask("GET", "/performance/metrics", {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(zipped->get_header_value("Content-Encoding"), "gzip");
}

TEST_F(RestLive, ReportsAreMadeAndFetched) {
  const auto made =
      ask("POST", "/performance/reports", {}, R"({"title": "live", "window": "10m"})");
  ASSERT_EQ(made->status, 201) << made->body;
  const std::string place = made->get_header_value("Location");
  EXPECT_EQ(ask("GET", place)->body, made->body);
  const std::string etag = ask("GET", place)->get_header_value("ETag");
  EXPECT_EQ(ask("GET", place, {{"If-None-Match", etag}})->status, 304);
  EXPECT_EQ(get("/performance/reports")["reports"][0]["title"], "live");
  EXPECT_EQ(get("/performance/bottlenecks")["bottlenecks"].size(),
            json::parse(made->body)["bottlenecks"].size());
}

TEST_F(RestLive, RefusalsAreProblems) {
  EXPECT_EQ(ask("GET", "/performance/metrics?windw=5m")->status, 400);
  EXPECT_EQ(ask("GET", "/performance/metrics?window=%00%ff")->status, 400);
  EXPECT_EQ(ask("GET", "/performance/trends?series=" + std::string(5000, 'x'))->status, 414);
  EXPECT_EQ(ask("GET", "/performance/reports/none")->status, 404);
  EXPECT_EQ(ask("POST", "/performance/metrics")->status, 405);
  EXPECT_EQ(ask("POST", "/performance/reports", {}, "{}", "text/plain")->status, 415);
  EXPECT_EQ(ask("POST", "/performance/reports", {}, std::string(20'000, 'x'))->status, 413);
  EXPECT_EQ(ask("POST", "/performance/reports", {}, std::string(100'000, 'x'))->status, 413);
}

TEST_F(RestLive, PagesOfOtherOriginsLearnNothing) {
  const auto r = ask("GET", "/performance/metrics", {{"Origin", "https://else.example"}});
  EXPECT_FALSE(r->has_header("Access-Control-Allow-Origin"));
}

}  // namespace
}  // namespace nz::live
