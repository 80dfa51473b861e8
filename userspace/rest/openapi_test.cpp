// Every kind of answer of the interface is as configs/rest/openapi.yaml describes it, errors too,
// and nothing is described that no answer has.
#include <gtest/gtest.h>

#include "tests/openapi/openapi.h"
#include "userspace/http/router.h"
#include "userspace/rest/fake_source.h"
#include "userspace/rest/routes.h"

namespace nz::rest {
namespace {

using http::Response;
using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Asked {
  std::string method, path;
  Pairs query, headers;
  std::string body;
};

class OpenApi : public ::testing::Test {
 protected:
  OpenApi() {
    source_.change([](View& v) {
      v.findings = {
          testing::finding("cpu/c", analysis::Severity::critical, 0.5, testing::kNow - 100),
          testing::finding("old/b", analysis::Severity::warning, 0.9, testing::kNow - 500,
                           testing::kNow - 300)};
      v.details = std::make_shared<const analysis::Details>(testing::details());
      v.unattached = {{"sqlite", "demo", "no symbols"}};
    });
  }
  Response ask(const Asked& asked) {
    http::Request request;
    request.method = asked.method;
    request.path = asked.path;
    request.query_params = asked.query;
    request.headers = asked.headers;
    request.body = asked.body;
    Response r = router_.answer(request);
    r.body = r.text();
    EXPECT_EQ(description_.check(asked.method, asked.path, r.status, r.content_type, r.body), "")
        << asked.method << " " << asked.path << " " << r.status << "\n"
        << r.body.substr(0, 2000);
    return r;
  }

  testing::FakeSource source_;
  http::Router router_ = *http::Router::make(routes(source_));
  openapi::Description description_{NZ_OPENAPI};
};

TEST_F(OpenApi, EveryAnswerIsAsDescribed) {
  const std::string p = "/performance/";
  const std::string stage = "nearzero_order_stage_duration_seconds";
  const Pairs as_json{{"Content-Type", "application/json"}};
  const std::vector<Asked> all{
      {"GET", p + "metrics", {}, {}, {}},
      {"GET", p + "metrics", {{"limit", "2"}}, {}, {}},
      {"GET", p + "metrics", {{"window", "x"}}, {}, {}},
      {"GET", p + "trends", {{"series", stage}}, {}, {}},
      {"GET", p + "trends", {{"series", stage}, {"quantile", "rate"}, {"from", "-1h"}}, {}, {}},
      {"GET", p + "trends", {{"series", "nearzero_sqlite_rows_total"}}, {}, {}},
      {"GET", p + "trends", {{"series", "nearzero_target_threads"}}, {}, {}},
      {"GET", p + "trends", {{"series", stage}, {"slope", "true"}}, {}, {}},
      {"GET",
       p + "trends",
       {{"series", stage}, {"slope", "true"}, {"from", "-1h"}, {"to", "-30m"}},
       {},
       {}},
      {"GET", p + "trends", {{"series", stage}, {"slope", "1"}}, {}, {}},
      {"GET", p + "trends", {}, {}, {}},
      {"GET", p + "bottlenecks", {}, {}, {}},
      {"GET", p + "bottlenecks", {{"limit", "1"}}, {}, {}},
      {"GET", p + "bottlenecks", {{"state", "x"}}, {}, {}},
      {"GET", p + "profile", {}, {}, {}},
      {"GET", p + "profile", {{"limit", "1"}}, {}, {}},
      {"GET", p + "profile", {{"format", "folded"}, {"target", "demo"}}, {}, {}},
      {"GET", p + "profile", {{"format", "folded"}}, {}, {}},
      {"GET", p + "reports", {}, {}, {}},
      {"POST", p + "reports", {}, {}, {}},
      {"POST", p + "reports", {}, as_json, R"({"from": 1795769700, "title": "é"})"},
      {"POST", p + "reports", {}, as_json, "[]"},
      {"POST", p + "reports", {}, {}, "{}"},
      {"POST", p + "reports", {}, as_json, R"({"from": 1, "to": 2})"},
      {"GET", p + "reports", {}, {}, {}},
      {"GET", p + "reports", {{"limit", "-1"}}, {}, {}},
      {"GET", p + "reports/none", {}, {}, {}},
      {"GET", p + "reports/20261127T090000Z-1", {{"x", "y"}}, {}, {}},
      {"GET", p + "reports/20261127T090000Z-1", {{"format", "html"}}, {}, {}},
      {"GET", p + "reports/20261127T090000Z-1", {{"format", "markdown"}}, {}, {}},
      {"GET", p + "reports/20261127T090000Z-1", {{"format", "document"}}, {}, {}},
      {"GET", p + "reports/20261127T090000Z-1", {{"format", "pdf"}}, {}, {}},
      {"DELETE", p + "reports", {}, {}, {}},
      {"POST", p + "metrics", {}, {}, {}}};
  for (const Asked& asked : all) ask(asked);
  for (const Asked& asked :
       std::vector<Asked>{{"GET", p + "metrics", {}, {}, {}},
                          {"GET", p + "trends", {{"series", stage}}, {}, {}},
                          {"GET", p + "bottlenecks", {}, {}, {}},
                          {"GET", p + "profile", {}, {}, {}},
                          {"GET", p + "reports", {}, {}, {}},
                          {"GET", p + "reports/20261127T090000Z-1", {}, {}, {}}}) {
    EXPECT_EQ(ask(asked).status, 200);
    Asked known = asked;
    known.headers = {{"If-None-Match", "*"}};
    EXPECT_EQ(ask(known).status, 304);
  }
  source_.forget_view();
  for (const char* path : {"metrics", "trends", "bottlenecks", "profile", "reports", "reports/x"})
    EXPECT_EQ(ask({"GET", p + path, {}, {}, {}}).status, 503);
  EXPECT_EQ(ask({"POST", p + "reports", {}, {}, {}}).status, 503);
  for (const std::string& answer : description_.unseen()) {
    // The server's own refusals (414, 500, ...): tests/live/rest_live_test.cpp.
    EXPECT_TRUE(answer.ends_with(" default")) << "described, but never given: " << answer;
  }
}

TEST_F(OpenApi, ParametersAreThoseOfTheHandlers) {
  for (const std::string& operation : description_.operations()) {
    if (!operation.starts_with("GET ") || operation.find('{') != std::string::npos) continue;
    const std::string path = operation.substr(4);
    const auto described = description_.query_parameters("GET", path);
    // A name that is far from all of them makes the handler list what it knows.
    const Response r = ask({"GET", path, {{"zzzzzzzzzzzzzzzz", ""}}, {}, {}});
    const auto errors = nlohmann::json::parse(r.body)["errors"];
    std::set<std::string> known;
    std::string text = errors[0]["remedy"].get<std::string>().substr(7) + ", ";  // "known: "
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find(", ", at);
      known.insert(text.substr(at, end - at));
      at = end + 2;
    }
    EXPECT_EQ(known, described) << path;
  }
}

TEST_F(OpenApi, TheCheckCanFail) {
  EXPECT_NE(description_.check("GET", "/performance/metrics", 200, "application/json", "{}"), "");
  EXPECT_NE(description_.check("GET", "/performance/metrics", 200, "text/plain", "{}"), "");
  EXPECT_NE(description_.check("GET", "/performance/metrics", 418, "application/json", "{}"), "");
  EXPECT_NE(description_.check("GET", "/performance/metrics", 202, "application/json", "{}"), "");
  EXPECT_NE(description_.check("GET", "/nowhere", 200, "application/json", "{}"), "");
  Response r = ask({"GET", "/performance/bottlenecks", {}, {}, {}});
  const std::string severity = "\"severity\":\"critical\"";
  r.body.replace(r.body.find(severity), severity.size(), "\"severity\":\"catastrophic\"");
  EXPECT_NE(description_.check("GET", "/performance/bottlenecks", 200, r.content_type, r.body), "");
}

}  // namespace
}  // namespace nz::rest
