// What the endpoints answer, in exact numbers; their shape is openapi_test's.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "userspace/http/router.h"
#include "userspace/rest/fake_source.h"
#include "userspace/rest/routes.h"

namespace nz::rest {
namespace {

using http::Request;
using http::Response;
using nlohmann::json;
using testing::FakeSource;
using testing::kNow;
using testing::kStart;

using Pairs = std::vector<std::pair<std::string, std::string>>;

class Rest : public ::testing::Test {
 protected:
  Response ask(const std::string& method, const std::string& path, Pairs query = {},
               Pairs headers = {}, std::string body = {}) {
    if (!router_) router_ = *http::Router::make(routes(source_));
    Request request;
    request.method = method;
    request.path = path;
    request.query_params = std::move(query);
    request.headers = std::move(headers);
    request.body = std::move(body);
    Response r = router_->answer(request);
    r.body = r.text();
    return r;
  }
  json get(const std::string& what, Pairs query = {}) {
    const Response r = ask("GET", "/performance/" + what, std::move(query));
    EXPECT_EQ(r.status, 200) << r.body;
    return json::parse(r.body, nullptr, false);
  }
  // The mistakes of a 400, by parameter: detail and remedy.
  std::map<std::string, std::string> mistakes(const std::string& what, Pairs query) {
    const Response r = ask("GET", "/performance/" + what, std::move(query));
    EXPECT_EQ(r.status, 400) << r.body;
    EXPECT_EQ(r.content_type, "application/problem+json");
    std::map<std::string, std::string> result;
    const json body = json::parse(r.body);
    for (const json& e : body["errors"])
      result[e["parameter"]] =
          e["detail"].get<std::string>() + "; " + e["remedy"].get<std::string>();
    return result;
  }
  static std::string header(const Response& r, const std::string& name) {
    for (const auto& [key, value] : r.headers) {
      if (key == name) return value;
    }
    return "";
  }

  FakeSource source_;
  std::optional<http::Router> router_;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(Rest, MetricsOfTheLastMinute) {
  const json j = get("metrics");
  EXPECT_EQ(j["range"], json::parse(R"({"from": "2026-11-27T08:59:00.000Z",
                                        "to": "2026-11-27T09:00:00.000Z", "seconds": 60})"));
  ASSERT_EQ(j["metrics"].size(), 6U);
  EXPECT_EQ(j["page"]["total"], 6);
  const json& risk = j["metrics"][2];
  EXPECT_EQ(risk["labels"]["stage"], "risk");
  EXPECT_EQ(risk["count"], 600);
  EXPECT_EQ(risk["rate"], 10);
  EXPECT_NEAR(risk["p50"], 0.001, 0.00005);
  EXPECT_EQ(risk["max"], 0.001);
  EXPECT_EQ(risk["mean"], 0.001);
  EXPECT_EQ(risk["unit"], "seconds");
  const json& idle = j["metrics"][1];
  EXPECT_EQ(idle["labels"]["stage"], "idle");
  EXPECT_EQ(idle["count"], 0);
  EXPECT_TRUE(idle["p99.9"].is_null());
  const json& rows = j["metrics"][4];
  EXPECT_EQ(rows["name"], "nearzero_sqlite_rows_total");
  EXPECT_EQ(rows["change"], 120);
  EXPECT_EQ(rows["rate"], 2);
  EXPECT_EQ(rows["value"], 1200);
  const json& threads = j["metrics"][5];
  EXPECT_EQ(threads["value"], 7);
  EXPECT_EQ(threads["type"], "gauge");
}

TEST_F(Rest, CompletenessTellsWhatWasDroppedInTheRange) {
  source_.change([](View& v) { v.unattached = {{"sqlite", "demo", "no symbols"}}; });
  json c = get("metrics")["completeness"];
  EXPECT_EQ(c["complete"], false);
  EXPECT_EQ(c["drops"], json::parse(R"([{"probe": "events", "cause": "ring_full", "events": 3}])"));
  EXPECT_EQ(c["unattached"][0]["reason"], "no symbols");
  c = get("metrics", {{"window", "20s"}})["completeness"];
  EXPECT_TRUE(c["drops"].empty()) << "they were before";
  source_.change([](View& v) { v.unattached.clear(); });
  EXPECT_EQ(get("metrics", {{"window", "20s"}})["completeness"]["complete"], true);
  c = get("metrics", {{"window", "1h"}})["completeness"];
  EXPECT_EQ(c["range_covered"], false);
  EXPECT_EQ(c["history_from"], "2026-11-27T08:50:00.000Z");
}

TEST_F(Rest, MetricsAreSelected) {
  EXPECT_EQ(get("metrics", {{"target", "demo"}})["metrics"].size(), 4U);
  EXPECT_EQ(get("metrics", {{"family", "nearzero_order_*"}})["metrics"].size(), 3U);
  EXPECT_EQ(get("metrics", {{"family", "nearzero_nothing*"}})["metrics"].size(), 0U);
  const json j = get("metrics", {{"family", "nearzero_sqlite_rows_total"}, {"window", "5m"}});
  ASSERT_EQ(j["metrics"].size(), 1U);
  EXPECT_EQ(j["metrics"][0]["change"], 600);
}

TEST_F(Rest, PagesTogetherAreTheList) {
  std::vector<std::string> names;
  Pairs query{{"limit", "4"}};
  for (int page = 0; page < 10; page++) {
    const json j = get("metrics", query);
    for (const json& m : j["metrics"])
      names.push_back(m.dump(-1, ' ', false, json::error_handler_t::replace));
    EXPECT_EQ(j["page"]["total"], 6);
    if (j["page"]["next_cursor"].is_null()) break;
    query = {{"limit", "4"}, {"cursor", j["page"]["next_cursor"]}};
  }
  ASSERT_EQ(names.size(), 6U);
  const json whole = get("metrics");
  for (std::size_t i = 0; i < names.size(); i++)
    EXPECT_EQ(names[i], whole["metrics"][i].dump(-1, ' ', false, json::error_handler_t::replace));
}

TEST_F(Rest, MistakesAreAllNamedWithTheirRemedy) {
  auto m = mistakes("metrics", {{"windw", "5m"}, {"limit", "0"}, {"target", "dem"}});
  EXPECT_EQ(m.size(), 3U);
  EXPECT_TRUE(has(m["windw"], "did you mean 'window'"));
  EXPECT_TRUE(has(m["limit"], "1 to 5000"));
  EXPECT_TRUE(has(m["target"], "did you mean 'demo'"));
  m = mistakes(
      "metrics",
      {{"window", "1s"}, {"family", "nearzero_order_stage_duration_second"}, {"cursor", "x"}});
  EXPECT_TRUE(has(m["window"], "10 s to 86400 s"));
  EXPECT_TRUE(has(m["family"], "'nearzero_order_stage_duration_seconds'"));
  EXPECT_TRUE(has(m["cursor"], "next_cursor"));
  for (const char* bad : {"", "-5s", "5x", "nan", "inf", "1e999s", "5m5"})
    EXPECT_FALSE(mistakes("metrics", {{"window", bad}}).empty()) << bad;
  EXPECT_TRUE(has(mistakes("metrics", {{"window", "60s"}, {"window", "70s"}})["window"], "once"));
  Pairs many;
  for (int i = 0; i < 1000; i++) many.emplace_back("x" + std::to_string(i), "");
  EXPECT_EQ(mistakes("metrics", many).size(), 20U) << "bounded";
}

TEST_F(Rest, TrendsOfAQuantileAndOfARate) {
  Pairs query{{"series", "nearzero_order_stage_duration_seconds"},
              {"label", "stage:submit"},
              {"from", "-5m"},
              {"step", "60s"}};
  json j = get("trends", query);
  EXPECT_EQ(j["statistic"], "0.99");
  EXPECT_EQ(j["step"], 60);
  ASSERT_EQ(j["trends"].size(), 1U);
  ASSERT_EQ(j["trends"][0]["points"].size(), 5U);
  for (int k = 0; k < 5; k++) {
    const json& p = j["trends"][0]["points"][static_cast<std::size_t>(k)];
    EXPECT_EQ(p[0], kStart + 300 + 60 * (k + 1));
    EXPECT_NEAR(p[1], 0.002, 0.0001);
  }
  query.emplace_back("quantile", "rate");
  j = get("trends", query);
  EXPECT_EQ(j["trends"][0]["points"][0][1], 5);
  EXPECT_EQ(j["trends"][0]["unit"], "per second");
  query.back().second = "mean";
  EXPECT_NEAR(get("trends", query)["trends"][0]["points"][4][1], 0.002, 1e-9);
}

TEST_F(Rest, TrendsBeforeHistoryAreNull) {
  const json j = get("trends", {{"series", "nearzero_sqlite_rows_total"},
                                {"from", "2026-11-27T08:40:00Z"},
                                {"to", "2026-11-27T10:00:00+01:00"},
                                {"step", "10m"}});
  const json& points = j["trends"][0]["points"];
  ASSERT_EQ(points.size(), 2U);
  EXPECT_TRUE(points[0][1].is_null());
  EXPECT_EQ(points[1][1], 2);
  EXPECT_EQ(j["completeness"]["range_covered"], false);
  EXPECT_EQ(j["trends"][0]["unit"], "per second");
}

TEST_F(Rest, TrendsWithTheirSlopeWhereItIsAskedFor) {
  const std::string rows = "nearzero_sqlite_rows_total";
  EXPECT_FALSE(get("trends", {{"series", rows}})["trends"][0].contains("slope"));
  const json even = get("trends", {{"series", rows}, {"slope", "true"}})["trends"][0]["slope"];
  EXPECT_EQ(even["points"], 60);
  EXPECT_EQ(even["per_hour"], 0);
  EXPECT_EQ(even["significant"], false);
  EXPECT_EQ(even["note"], "all values are the same");
  EXPECT_EQ(even["level_last"], 2);

  // From 2 rows a second on 0.1 more in each 10 s, give or take 0.25.
  std::mt19937 random(4);
  double counted = 1200;
  for (int i = 1; i <= 60; i++) {
    counted += 10 * (2 + 0.1 * i + static_cast<double>(random() % 500) / 1000 - 0.25);
    source_.add(kNow + 10 * i, {}, {}, counted, 3);
  }
  const json j = get("trends", {{"series", rows},
                                {"slope", "true"},
                                {"from", "2026-11-27T09:00:00Z"},
                                {"step", "10s"}})["trends"][0];
  EXPECT_EQ(j["points"].size(), 60U);
  const json& slope = j["slope"];
  EXPECT_EQ(slope["points"], 60);
  EXPECT_NEAR(slope["per_hour"], 36, 3);
  EXPECT_LT(slope["low"], slope["per_hour"]);
  EXPECT_GT(slope["high"], slope["per_hour"]);
  EXPECT_LT(slope["p"], 0.001);
  EXPECT_GT(slope["tau"], 0.8);
  EXPECT_EQ(slope["significant"], true);
  EXPECT_NEAR(slope["level_last"], 8, 0.5);
  EXPECT_TRUE(slope["note"].is_null());

  const json none =
      get("trends", {{"series", rows}, {"slope", "true"}, {"from", "-1d"}, {"to", "-12h"}});
  for (const json& trend : none["trends"]) EXPECT_TRUE(trend["slope"]["per_hour"].is_null());
  EXPECT_TRUE(has(mistakes("trends", {{"series", rows}, {"slope", "yes"}})["slope"], "true"));
}

TEST_F(Rest, TrendsOfWhatIsGoneAreThoseOfHistory) {
  const std::string rows = "nearzero_sqlite_rows_total";
  const std::string stage = "nearzero_order_stage_duration_seconds";
  source_.change([&](View& v) {
    std::erase_if(v.families, [&](const metrics::Family& f) { return f.name == rows; });
    for (metrics::Family& f : v.families) {
      if (f.name == stage) f.samples.clear();  // it is told of, but no target has it
    }
  });
  json j =
      get("trends", {{"series", rows}, {"label", "target:demo"}, {"from", "-5m"}, {"step", "60s"}});
  EXPECT_EQ(j["type"], "counter");
  EXPECT_EQ(j["statistic"], "rate");
  ASSERT_EQ(j["trends"].size(), 1U);
  EXPECT_EQ(j["trends"][0]["points"][0][1], 2);
  EXPECT_TRUE(has(mistakes("trends", {{"series", rows}, {"label", "targt:demo"}})["label"],
                  "did you mean 'target'"));
  j = get("trends", {{"series", stage}, {"label", "stage:risk"}, {"step", "60s"}});
  ASSERT_EQ(j["trends"].size(), 1U);
  EXPECT_NEAR(j["trends"][0]["points"].back()[1], 0.001, 0.00005);
}

TEST_F(Rest, TrendsThatCannotBe) {
  const std::string stage = "nearzero_order_stage_duration_seconds";
  EXPECT_TRUE(has(mistakes("trends", {})["series"], "missing"));
  EXPECT_TRUE(has(mistakes("trends", {{"series", ""}})["series"], "unknown series"));
  EXPECT_TRUE(has(mistakes("trends", {{"series", "nearzero_sqlite_row_total"}})["series"],
                  "did you mean 'nearzero_sqlite_rows_total'"));
  EXPECT_TRUE(has(mistakes("trends", {{"series", stage}, {"label", "stge:risk"}})["label"],
                  "did you mean 'stage'"));
  EXPECT_TRUE(
      has(mistakes("trends", {{"series", stage}, {"label", "risk"}})["label"], "key:value"));
  for (const char* bad : {"1.5", "-0.1", "p99", "nan", ""})
    EXPECT_TRUE(
        has(mistakes("trends", {{"series", stage}, {"quantile", bad}})["quantile"], "0 to 1"))
        << bad;
  EXPECT_TRUE(has(
      mistakes("trends", {{"series", "nearzero_target_threads"}, {"quantile", "0.5"}})["quantile"],
      "is a gauge"));
  EXPECT_TRUE(has(mistakes("trends", {{"series", stage}, {"from", "-1m"}, {"to", "-5m"}})["from"],
                  "not before"));
  EXPECT_TRUE(has(mistakes("trends", {{"series", stage}, {"from", "0"}})["from"], "366 days"));
  EXPECT_TRUE(has(mistakes("trends", {{"series", stage}, {"to", "yesterday"}})["to"], "RFC 3339"));
  EXPECT_TRUE(has(mistakes("trends", {{"series", stage}, {"step", "1s"}})["step"], "10 s"));
  // Three series of 86,400 / 10 steps are 25,920 points.
  const auto m = mistakes("trends", {{"series", stage}, {"from", "-1d"}, {"step", "10s"}});
  EXPECT_TRUE(has(m.at("step"), "25920 points in 3 series are more than 11000; give step=30s"));
  EXPECT_EQ(get("trends", {{"series", stage}, {"from", "-1d"}, {"step", "30s"}})["trends"].size(),
            3U);
}

TEST_F(Rest, BottlenecksAreInTheLedgersOrderAndFiltered) {
  using analysis::Severity;
  source_.change([](View& v) {
    // The costliest is not first where it is no longer seen.
    v.findings = {testing::finding("cpu/c", Severity::critical, 0.5, kNow - 100),
                  testing::finding("noise/a", Severity::info, 0.01, kNow - 60),
                  testing::finding("lock/d", Severity::warning, 0.8, kNow - 200),
                  testing::finding("old/b", Severity::critical, 0.9, kNow - 500, kNow - 300)};
  });
  const auto ids = [&](Pairs query) {
    std::string text;
    const json answer = get("bottlenecks", std::move(query));
    for (const json& f : answer["bottlenecks"]) text += f["id"].get<std::string>() + " ";
    return text;
  };
  EXPECT_EQ(ids({}), "cpu/c noise/a lock/d old/b ");
  EXPECT_EQ(ids({{"severity", "warning,critical"}}), "cpu/c lock/d old/b ");
  EXPECT_EQ(ids({{"state", "resolved"}}), "old/b ");
  EXPECT_EQ(ids({{"from", "-4m"}}), "cpu/c noise/a lock/d ");
  EXPECT_EQ(ids({{"from", "-10m"}, {"to", "-6m"}}), "old/b ");
  EXPECT_EQ(ids({{"target", "other"}}), "");
  EXPECT_EQ(ids({{"limit", "2"}}), "cpu/c noise/a ");
  const json f = get("bottlenecks")["bottlenecks"][0];
  EXPECT_EQ(f["since"], "2026-11-27T08:58:20.000Z");
  EXPECT_TRUE(f["until"].is_null());
  EXPECT_EQ(f["evidence"][0]["value"], 0.004);
  EXPECT_TRUE(has(mistakes("bottlenecks", {{"severity", "critcal"}})["severity"], "'critical'"));
}

TEST_F(Rest, ProfileOfTheLastWindow) {
  EXPECT_EQ(get("profile")["functions"].size(), 0U) << "without a profile";
  EXPECT_EQ(ask("GET", "/performance/profile", {{"format", "folded"}}).body, "");
  source_.change(
      [](View& v) { v.details = std::make_shared<const analysis::Details>(testing::details()); });
  const json all = get("profile");
  EXPECT_EQ(all["range"]["seconds"], 60);
  ASSERT_EQ(all["functions"].size(), 3U);
  EXPECT_EQ(all["functions"][0]["function"], "match");
  EXPECT_EQ(all["functions"][0]["share_before"], 0.1);
  EXPECT_TRUE(all["functions"][1]["share_before"].is_null());
  EXPECT_EQ(get("profile", {{"target", "other"}})["functions"].size(), 1U);
  EXPECT_EQ(get("profile", {{"target", "nobody"}})["functions"].size(), 0U);
  EXPECT_EQ(get("profile", {{"limit", "2"}})["functions"].size(), 2U);

  const Response stacks =
      ask("GET", "/performance/profile", {{"format", "folded"}, {"target", "demo"}});
  EXPECT_EQ(stacks.content_type, "text/plain");
  EXPECT_EQ(stacks.body, "main;match 400\nmain;parse 200\n");
  EXPECT_TRUE(has(mistakes("profile", {{"format", "folded"}})["target"], "demo, other"));
  EXPECT_TRUE(
      has(mistakes("profile", {{"format", "folded"}, {"target", "dmeo"}})["target"], "demo"));
  EXPECT_TRUE(has(mistakes("profile", {{"format", "fold"}})["format"], "folded"));
  EXPECT_TRUE(has(mistakes("profile", {{"format", "json,folded"}})["format"], "one"));
}

TEST_F(Rest, ReportsAreMadeKeptAndFetched) {
  source_.change([](View& v) {
    v.findings = {testing::finding("cpu/c", analysis::Severity::critical, 0.5, kNow - 100)};
    v.details = std::make_shared<const analysis::Details>(testing::details());
  });
  EXPECT_EQ(get("reports")["reports"].size(), 0U);
  const Response made =
      ask("POST", "/performance/reports", {}, {{"content-type", "application/json"}},
          R"({"title": "after the deploy", "window": "5m"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const json report = json::parse(made.body);
  EXPECT_EQ(report["title"], "after the deploy");
  EXPECT_EQ(report["range"]["seconds"], 300);
  ASSERT_EQ(report["slow_statements"].size(), 1U) << "the other one was before";
  EXPECT_EQ(report["slow_statements"][0]["advice"],
            json::array({"CREATE INDEX i ON t(a)", "PRAGMA synchronous=NORMAL"}));
  EXPECT_EQ(report["bottlenecks"].size(), 1U);
  EXPECT_EQ(report["hot_functions"][0]["share"], 0.4);
  EXPECT_EQ(report["metrics"].size(), 5U) << "without the idle stage";
  const std::string place = header(made, "Location");
  EXPECT_EQ(place, "/performance/reports/20261127T090000Z-1");
  source_.change([](View& v) { v.findings.clear(); });
  EXPECT_EQ(ask("GET", place).body, made.body) << "as it was made";
  const Response none = ask("GET", "/performance/reports/none");
  EXPECT_EQ(none.status, 404);
  EXPECT_TRUE(has(none.body, "20261127T090000Z-1"));
  for (int i = 0; i < 40; i++) EXPECT_EQ(ask("POST", "/performance/reports").status, 201);
  const json list = get("reports");
  EXPECT_EQ(list["reports"].size(), 32U);
  EXPECT_EQ(list["reports"][0]["id"], "20261127T090000Z-41");
  EXPECT_EQ(ask("GET", place).status, 404) << "the oldest went";
}

TEST_F(Rest, AReportIsAPageAndAText) {
  source_.change([](View& v) {
    v.findings = {testing::finding("cpu/c", analysis::Severity::critical, 0.5, kNow - 100)};
    v.details = std::make_shared<const analysis::Details>(testing::details());
    report::Extras extras;
    extras.host.name = "host-1";
    extras.alerts.emplace();
    v.extras = std::make_shared<const report::Extras>(extras);
  });
  const Response made =
      ask("POST", "/performance/reports", {}, {{"content-type", "application/json"}},
          R"({"title": "after the <deploy>", "window": "5m"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string place = header(made, "Location");
  const Response html = ask("GET", place, {{"format", "html"}});
  EXPECT_EQ(html.status, 200);
  EXPECT_EQ(html.content_type, "text/html; charset=utf-8");
  EXPECT_TRUE(has(header(html, "Content-Security-Policy"), "default-src 'none'"));
  EXPECT_TRUE(has(html.body, "<h1>after the &lt;deploy&gt;</h1>"));
  EXPECT_TRUE(has(html.body, "Host host-1"));
  EXPECT_TRUE(has(html.body, "Something takes the processor"));
  EXPECT_TRUE(has(html.body, "the 5 min before"));
  EXPECT_TRUE(has(html.body, "No alert fired."));
  EXPECT_NE(header(html, "ETag"), "");
  const Response markdown = ask("GET", place, {{"format", "markdown"}});
  EXPECT_EQ(markdown.content_type, "text/markdown; charset=utf-8");
  EXPECT_TRUE(markdown.body.starts_with("# after the &lt;deploy&gt;\n"));
  const json document = json::parse(ask("GET", place, {{"format", "document"}}).body);
  EXPECT_EQ(document["verdict"], "bad");
  EXPECT_EQ(document["title"], "after the <deploy>");
  EXPECT_EQ(document["sections"][0]["id"], "summary");
  source_.change([](View& v) { v.findings.clear(); });
  EXPECT_EQ(ask("GET", place, {{"format", "html"}}).body, html.body) << "as it was made";
  EXPECT_EQ(ask("GET", place, {{"format", "json"}}).body, made.body);
  EXPECT_EQ(ask("GET", place, {{"format", "pdf"}}).status, 400);
  EXPECT_EQ(ask("GET", place, {{"format", "html,json"}}).status, 400);
}

TEST_F(Rest, WhatAReportComparesWith) {
  const auto page = [&](const std::string& body) {
    const Response made =
        ask("POST", "/performance/reports", {}, {{"content-type", "application/json"}}, body);
    EXPECT_EQ(made.status, 201) << made.body;
    return ask("GET", header(made, "Location"), {{"format", "markdown"}}).body;
  };
  EXPECT_TRUE(has(page(R"({"window": "4m"})"), "compared with the 4 min before"));
  EXPECT_TRUE(has(page(R"({"window": "2m", "compare": "5m"})"),
                  "compared with the same time 5 min before"));
  EXPECT_FALSE(has(page(R"({"window": "4m", "compare": "none"})"), "compared with"));
  EXPECT_TRUE(has(page(R"({"window": "4m", "compare": "7d"})"), "There is no comparison"));
  EXPECT_EQ(ask("POST", "/performance/reports", {}, {{"content-type", "application/json"}},
                R"({"compare": "yesterday"})")
                .status,
            400);
}

TEST_F(Rest, ReportsThatCannotBe) {
  const Pairs as_json{{"Content-Type", "application/json"}};
  const auto status = [&](const std::string& body, const Pairs& headers) {
    return ask("POST", "/performance/reports", {}, headers, body).status;
  };
  EXPECT_EQ(status("{}", {}), 415) << "a page of another origin can send no JSON unasked";
  EXPECT_EQ(status("{}", {{"Content-Type", "text/plain"}}), 415);
  EXPECT_EQ(status("[]", as_json), 400);
  EXPECT_EQ(status("{\"wi", as_json), 400);
  EXPECT_EQ(status(R"({"windw": "5m"})", as_json), 400);
  EXPECT_EQ(status(R"({"window": "5m", "from": "-5m"})", as_json), 400);
  EXPECT_EQ(status(R"({"title": ")" + std::string(201, 'x') + "\"}", as_json), 400);
  EXPECT_EQ(status(R"({"from": 1000, "to": 2000})", as_json), 409) << "before history";
  EXPECT_EQ(status(R"({"from": 1795769700, "to": 1795769760})", as_json), 201);
  EXPECT_EQ(status(R"({"window": {"a": 1}})", as_json), 400);
}

TEST_F(Rest, AnEntityTagSavesTheBody) {
  const Response first = ask("GET", "/performance/metrics");
  const std::string etag = header(first, "ETag");
  ASSERT_TRUE(has(etag, "W/\""));
  const Response again = ask("GET", "/performance/metrics", {}, {{"If-None-Match", etag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(header(again, "ETag"), etag);
  EXPECT_EQ(ask("GET", "/performance/metrics", {}, {{"If-None-Match", "\"x\", " + etag}}).status,
            304);
  EXPECT_EQ(ask("GET", "/performance/metrics", {}, {{"If-None-Match", "\"x\""}}).status, 200);
  EXPECT_EQ(
      ask("GET", "/performance/metrics", {{"window", "5m"}}, {{"If-None-Match", etag}}).status,
      200);
  EXPECT_EQ(header(ask("GET", "/performance/metrics", {{"x", ""}}), "ETag"), "")
      << "not an error's";
}

TEST_F(Rest, TheCacheEndsWithTheView) {
  const std::string before = ask("GET", "/performance/bottlenecks").body;
  source_.change([](View& v) {
    v.findings = {testing::finding("cpu/c", analysis::Severity::critical, 0.5, kNow - 100)};
  });
  EXPECT_NE(ask("GET", "/performance/bottlenecks").body, before);
  const Response zipped = ask("GET", "/performance/metrics", {}, {{"Accept-Encoding", "gzip"}});
  ASSERT_TRUE(zipped.gzip_body);
  EXPECT_LT(zipped.gzip_body->size(), zipped.body.size());
  const Response again = ask("GET", "/performance/metrics", {}, {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(zipped.gzip_body, again.gzip_body) << "compressed once";
  ASSERT_TRUE(zipped.shared_body);
  EXPECT_EQ(zipped.shared_body, again.shared_body) << "rendered once, and never copied";
}

TEST_F(Rest, NothingIsKnownAtTheStart) {
  source_.forget_view();
  for (const char* path : {"metrics", "trends", "bottlenecks", "reports", "reports/x"}) {
    const Response r = ask("GET", std::string("/performance/") + path);
    EXPECT_EQ(r.status, 503);
    EXPECT_EQ(header(r, "Retry-After"), "1");
  }
}

}  // namespace
}  // namespace nz::rest
