// Hosts side by side: who is odd, from a Prometheus that a test plays.
#include "userspace/fleet/fleet.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "userspace/client/test_server.h"
#include "userspace/report/document/writers.h"

namespace nz::fleet {
namespace {

using nlohmann::json;

constexpr double kTo = 1'795'770'000, kFrom = kTo - 3600;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Outliers, ByMedianAndMad) {
  const Comparison c = compare_hosts({1, 1.1, 0.9, 1.05, 10}, {true, 0.1, 3.5});
  EXPECT_TRUE(c.enough);
  EXPECT_EQ(c.median, 1.05);
  ASSERT_EQ(c.outliers.size(), 1U);
  EXPECT_EQ(c.outliers[0].index, 4U);
  EXPECT_GT(c.outliers[0].z, 3.5);
}

TEST(Outliers, NearlyEqualHostsAreAlike) {
  EXPECT_TRUE(compare_hosts({1, 1, 1, 1.3}, {true, 0.1, 3.5}).outliers.empty());
  EXPECT_EQ(compare_hosts({1, 1, 1, 1.5}, {true, 0.1, 3.5}).outliers.size(), 1U);
  EXPECT_TRUE(compare_hosts({0.2, 0.2, 0.2, 0.3}, {false, 0.03, 3.5}).outliers.empty());
  EXPECT_EQ(compare_hosts({0.2, 0.2, 0.2, 0.31}, {false, 0.03, 3.5}).outliers.size(), 1U);
}

TEST(Outliers, TooFewAndNoNumbers) {
  EXPECT_FALSE(compare_hosts({}, {}).enough);
  EXPECT_FALSE(compare_hosts({1, 100}, {true, 0.1, 3.5}).enough);
  EXPECT_FALSE(compare_hosts({1, NAN, 100, HUGE_VAL}, {true, 0.1, 3.5}).enough);
  const Comparison c = compare_hosts({1, 1, NAN, 1, 0, 50}, {true, 0.1, 3.5});
  ASSERT_EQ(c.outliers.size(), 1U);
  EXPECT_EQ(c.outliers[0].index, 5U) << "0 has no logarithm";
  EXPECT_TRUE(std::isnan(median_of({})));
  EXPECT_EQ(median_of({4, NAN, 1, 2, 3}), 2.5);
}

TEST(Outliers, BelowTheOthersIsOddToo) {
  const Comparison c = compare_hosts({300, 310, 290, 305, 20}, {true, 0.2, 3.5});
  ASSERT_EQ(c.outliers.size(), 1U);
  EXPECT_LT(c.outliers[0].z, 0);
}

TEST(Answer, IsReadOrRefused) {
  const auto good = parse_answer(
      R"({"status":"success","data":{"resultType":"matrix","result":[
          {"metric":{"instance":"a"},"values":[[1,"0.5"],[2,"NaN"],[3,"+Inf"],["x"],[4,5]]},
          {"metric":{},"value":[7,"1"]}, 5]},"warnings":["shard down"]})",
      "here");
  ASSERT_TRUE(good) << good.error().text();
  ASSERT_EQ(good->series.size(), 2U);
  ASSERT_EQ(good->series[0].points.size(), 3U);
  EXPECT_EQ(good->series[0].points[0].value, 0.5);
  EXPECT_TRUE(std::isnan(good->series[0].points[1].value));
  EXPECT_EQ(good->series[1].points[0].at, 7);
  EXPECT_EQ(good->warnings, std::vector<std::string>{"shard down"});
  for (const char* bad : {"", "<html>", "[]", "{}", R"({"status":"success"})",
                          R"({"status":"success","data":{"result":5}})"}) {
    const auto answer = parse_answer(bad, "here");
    ASSERT_FALSE(answer) << bad;
    EXPECT_TRUE(has(answer.error().what, "here")) << bad;
  }
  EXPECT_TRUE(
      has(parse_answer(R"({"status":"error","error":"too many samples"})", "here").error().what,
          "too many samples"));
  const auto rude = parse_answer("{\"status\":\"error\",\"error\":\"no\\u001b[31m\\n\"}", "here");
  EXPECT_EQ(rude.error().what, "here: no?[31m?");
}

// Five hosts; h3's orders take 20 ms in place of 400 us. Rules are loaded or not.
class FleetTest : public ::testing::Test {
 protected:
  FleetTest() {
    const auto answer = [this](const httplib::Request& r, httplib::Response& out, bool range) {
      const std::string q = r.get_param_value("query");
      {
        const std::lock_guard lock(mutex_);
        asked_.insert(q);
      }
      if (status_ != 200) {
        out.status = status_;
        out.set_content(R"({"status":"error","errorType":"x","error":"no such thing"})",
                        "application/json");
        return;
      }
      json result = json::array();
      const bool rule = q.find(":") != std::string::npos;
      if (rules_ || !rule || !range) result = result_of(q, r);
      json body{{"status", "success"},
                {"data", {{"resultType", range ? "matrix" : "vector"}, {"result", result}}}};
      if (warn_) body["warnings"] = {"some shards did not answer"};
      out.set_content(body.dump(), "application/json");
    };
    server_.server.Get("/api/v1/query_range",
                       [answer](const auto& r, auto& out) { answer(r, out, true); });
    server_.server.Get("/api/v1/query",
                       [answer](const auto& r, auto& out) { answer(r, out, false); });
    server_.start();
  }
  json result_of(const std::string& q, const httplib::Request& r) const {
    json rows = json::array();
    if (q.find("up == 0") != std::string::npos)
      return json::parse(R"([{"metric":{"job":"nearzero","instance":"h9:9718"},"value":[1,"0"]},
                             {"metric":{"job":"other","instance":"x"},"value":[1,"0"]}])");
    if (q.find("bottleneck_impact") != std::string::npos)
      return json::parse(R"([{"metric":{"job":"nearzero","instance":"h3:9718","target":"demo",
                              "kind":"slow_sync"},"value":[1,"0.98"]}])");
    const bool p99 = q.find("stage_duration") != std::string::npos &&
                     (q.find(":p99") != std::string::npos || q.find("0.99") != std::string::npos);
    const bool busy =
        q.find("host_cpu_busy") != std::string::npos || q.find("idle|iowait") != std::string::npos;
    if (!p99 && !busy) return rows;
    const double start = std::stod(r.get_param_value("start"));
    const double end = std::stod(r.get_param_value("end"));
    const double step = std::stod(r.get_param_value("step"));
    for (int host = 1; host <= hosts_; host++) {
      json metric{{"job", "nearzero"}, {"instance", "h" + std::to_string(host) + ":9718"}};
      if (p99) metric["target"] = "demo";
      json values = json::array();
      for (double t = start; t <= end; t += step) {
        const bool slow = host == 3 && t > kFrom;
        const double v = p99 ? (slow ? 0.02 : 0.0004 + 0.00001 * host) : 0.2 + 0.001 * host;
        if (host != 5 || t > end - (end - start) / 2) values.push_back({t, std::to_string(v)});
      }
      rows.push_back({{"metric", metric}, {"values", values}});
    }
    return rows;
  }
  Prometheus prometheus() {
    client::Options o;
    o.url = server_.url();
    o.who = "Prometheus";
    return Prometheus(*client::Client::make(o));
  }
  Ask ask() const {
    Ask a;
    a.from = kFrom;
    a.to = kTo;
    a.shift = 3600;
    a.before_name = "the 1 h before";
    a.url = server_.url();
    return a;
  }
  client::testing::Server server_;
  bool rules_ = true, warn_ = false;
  int hosts_ = 5, status_ = 200;
  std::mutex mutex_;
  std::set<std::string> asked_;
};

TEST_F(FleetTest, NamesTheHostThatIsOdd) {
  for (const bool rules : {true, false}) {
    rules_ = rules;
    asked_.clear();
    Prometheus p = prometheus();
    std::size_t questions = 0;
    const auto fleet = gather(p, ask(), [&](std::size_t, std::size_t all) { questions = all; });
    ASSERT_TRUE(fleet) << fleet.error().text();
    EXPECT_GT(questions, 10U);
    const report::Document d = make_document(*fleet, kTo);
    if (const char* folder = std::getenv("NZ_REPORT_DIR"))
      std::ofstream(std::string(folder) + "/fleet.html") << to_html(d);
    EXPECT_EQ(d.verdict, report::Tone::bad);
    EXPECT_EQ(d.headline, "h3:9718 is worse than the other hosts.");
    const std::string text = to_json(d);
    EXPECT_TRUE(has(text, "p99 of an order of demo 20 ms, median of all 440 us"))
        << text.substr(0, 2000);
    EXPECT_TRUE(has(text, "Its agent names slow_sync (98 % of an order of demo)"));
    EXPECT_TRUE(has(text, "Prometheus gets no answer from h9:9718."));
    EXPECT_FALSE(has(text, "\"x\"")) << "another job's host";
    EXPECT_TRUE(has(text, "h5:9718 (p99 of an order during")) << "holes are told";
    EXPECT_TRUE(has(text, "No host has ")) << "figures that are missing are named";
    EXPECT_EQ(to_html(make_document(*fleet, kTo)), to_html(d));
  }
}

TEST_F(FleetTest, TheTimeBeforeIsCompared) {
  Prometheus p = prometheus();
  const auto fleet = gather(p, ask());
  ASSERT_TRUE(fleet);
  const HostFigure& h3 = fleet->figures[0].hosts[2];
  EXPECT_EQ(h3.host, "h3:9718");
  EXPECT_NEAR(h3.now, 0.02, 1e-9);
  EXPECT_NEAR(h3.before, 0.00043, 1e-9);
}

TEST_F(FleetTest, TwoHostsCannotTell) {
  hosts_ = 2;
  Prometheus p = prometheus();
  const auto fleet = gather(p, ask());
  ASSERT_TRUE(fleet);
  EXPECT_TRUE(has(to_json(make_document(*fleet, kTo)), "of two, nobody can say which one is odd"));
}

TEST_F(FleetTest, PartialAnswersAreSaid) {
  warn_ = true;
  Prometheus p = prometheus();
  const auto fleet = gather(p, ask());
  ASSERT_TRUE(fleet);
  EXPECT_EQ(fleet->warnings.size(), 1U);
  EXPECT_TRUE(has(to_json(make_document(*fleet, kTo)), "some shards did not answer"));
}

TEST_F(FleetTest, NothingOfNearzeroThere) {
  hosts_ = 0;
  Prometheus p = prometheus();
  const auto none = gather(p, ask());
  ASSERT_FALSE(none);
  EXPECT_TRUE(has(none.error().what, "no figures of nearzero"));
  hosts_ = 5;
  Ask other = ask();
  other.job = "prod";
  const auto job = gather(p, other);
  ASSERT_FALSE(job);
  EXPECT_TRUE(has(job.error().what, "for the job 'prod'"));
}

TEST_F(FleetTest, RefusalsNameTheQuery) {
  status_ = 422;
  Prometheus p = prometheus();
  const auto refused = gather(p, ask());
  ASSERT_FALSE(refused);
  EXPECT_TRUE(has(refused.error().what, "answers 422")) << refused.error().what;
  EXPECT_TRUE(has(refused.error().what, "no such thing; the query: max by"));
  status_ = 401;
  const auto denied = gather(p, ask());
  ASSERT_FALSE(denied);
  EXPECT_TRUE(has(denied.error().remedy, "--token-file"));
}

TEST(FleetDocument, TwoBottlenecksOfAServiceAreOneService) {
  Fleet fleet;
  fleet.from = kFrom;
  fleet.to = kTo;
  fleet.findings = {{"h1", "demo", "slow_sync", 0.3}, {"h1", "demo", "own_code", 0.2}};
  EXPECT_EQ(make_document(fleet, kTo).headline,
            "No host stands out, but bottlenecks were found on 1 service.");
}

TEST(FleetDocument, TenThousandHostsAreBounded) {
  Fleet fleet;
  fleet.from = kFrom;
  fleet.to = kTo;
  for (const FigureKind& kind : figure_kinds()) {
    Figure figure;
    figure.kind = &kind;
    for (int i = 0; i < 10'000; i++) {
      figure.hosts.push_back({"<b>host" + std::to_string(i),
                              kind.per_target ? "demo" : "",
                              i % 10 == 0 ? 1.0 : 0.001 + i * 1e-8,
                              NAN,
                              1,
                              {{kFrom, 1}, {kTo, 2}}});
    }
    fleet.figures.push_back(std::move(figure));
  }
  const std::string html = to_html(make_document(fleet, kTo));
  EXPECT_LT(html.size(), 2'000'000U);
  EXPECT_FALSE(has(html, "<b>host"));
  EXPECT_TRUE(has(html, "left out"));
}

}  // namespace
}  // namespace nz::fleet
