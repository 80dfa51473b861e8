// `nearzero report` of the demo service: from its agent, and over "hosts" from a real Prometheus
// that knows the same agent by three names.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "tests/live/harness/agent.h"
#include "tests/live/harness/command.h"
#include "tests/pipeline/demo.h"
#include "tests/pipeline/prometheus.h"

namespace nz::pipeline {
namespace {

using live::says;
using nlohmann::json;

constexpr double kRate = 500;

std::string three_names(int port) {
  std::string text = "  - job_name: fleet\n    static_configs:\n";
  for (const char* name : {"h1", "h2", "h3"})
    text += "      - {targets: ['127.0.0.1:" + std::to_string(port) + "'], labels: {instance: '" +
            name + ":9718'}}\n";
  return text;
}

class Report : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    all_ = new Everything;
    ASSERT_TRUE(all_->agent.has_member(all_->demo.pid(), 30));
    all_->demo.go();
    live::sleep_seconds(35);
  }
  static void TearDownTestSuite() {
    delete all_;
    all_ = nullptr;
  }
  static live::Outcome report(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "report");
    return live::run(std::move(arguments));
  }

  struct Everything {
    live::Agent agent{demo_yaml()};
    Prometheus prometheus{agent.port(), false, three_names(agent.port())};
    live::Workload demo{"nz-demo", {"--rate", "500", "--duration", "90"}};
  };
  static Everything* all_;
};

Report::Everything* Report::all_ = nullptr;

TEST_F(Report, OfOneHostFromItsAgent) {
  const live::Outcome o =
      report({"--url", all_->agent.url(), "--from", "-20s", "--compare", "none", "-f", "json"});
  ASSERT_EQ(o.code, 0) << o.err;
  const json d = json::parse(o.out, nullptr, false);
  ASSERT_FALSE(d.is_discarded()) << o.out.substr(0, 500);
  ASSERT_GE(d["figures"].size(), 3U);
  EXPECT_EQ(d["figures"][0]["label"], "demo: orders");
  EXPECT_NEAR(std::stod(d["figures"][0]["value"].get<std::string>()), kRate, 0.2 * kRate);
  std::set<std::string> ids;
  for (const json& section : d["sections"]) ids.insert(section["id"]);
  for (const char* id : {"summary", "order-path", "attribution", "bottlenecks", "statements",
                         "trends", "resources", "completeness"})
    EXPECT_TRUE(ids.contains(id)) << id;
}

TEST_F(Report, AsAFile) {
  const std::string file = live::temporary_file("report.html", "");
  const live::Outcome o = report({"--url", all_->agent.url(), "--title", "a <b> & c", "-o", file});
  ASSERT_EQ(o.code, 0) << o.err;
  EXPECT_TRUE(says(o.out, {file.c_str(), " KB"}));
  std::ifstream in(file);
  const std::string html((std::istreambuf_iterator<char>(in)), {});
  EXPECT_TRUE(says(html, {"<!doctype html>", "<h1>a &lt;b&gt; &amp; c</h1>", "</html>", "<svg "}));
  EXPECT_EQ(html.find("<script"), std::string::npos);
}

TEST_F(Report, OfManyHostsFromPrometheus) {
  const live::Outcome o = report({"--prometheus", all_->prometheus.url(), "--job", "fleet",
                                  "--from", "-2m", "--compare", "none", "-f", "json"});
  ASSERT_EQ(o.code, 0) << o.err;
  const json d = json::parse(o.out, nullptr, false);
  ASSERT_FALSE(d.is_discarded()) << o.out.substr(0, 500);
  EXPECT_EQ(d["figures"][0]["value"], "3");
  EXPECT_EQ(d["figures"][1]["value"], "0") << "the same host by three names is like itself";
  EXPECT_TRUE(says(o.out, {"h1:9718", "h2:9718", "h3:9718", "orders of demo took"}));
}

TEST_F(Report, WhatCannotBe) {
  const live::Outcome nobody = report({"--url", "http://127.0.0.1:1"});
  EXPECT_EQ(nobody.code, 8);
  EXPECT_TRUE(says(nobody.err, {"nearzero report: the agent does not answer", "nearzero agent"}));
  EXPECT_EQ(report({"--from", "yesterday"}).code, 2);
  EXPECT_EQ(report({"--compare", "yesterday"}).code, 2);
  EXPECT_EQ(report({"--job", "x"}).code, 2) << "only with --prometheus";
  const live::Outcome job =
      report({"--prometheus", all_->prometheus.url(), "--job", "none", "--from", "-2m"});
  EXPECT_EQ(job.code, 1);
  EXPECT_TRUE(says(job.err, {"no figures of nearzero in this time for the job 'none'"}));
  const live::Outcome file =
      report({"--url", all_->agent.url(), "-o", "/nonexistent/folder/report.html"});
  EXPECT_EQ(file.code, 1);
  EXPECT_TRUE(says(file.err, {"/nonexistent/folder/report.html"}));
  const live::Outcome empty = report({"--url", all_->agent.url(), "--from", "2020-01-01T00:00:00Z",
                                      "--to", "2020-01-01T01:00:00Z"});
  EXPECT_EQ(empty.code, 1);
  EXPECT_TRUE(says(empty.err, {"409", "--from"}));
}

}  // namespace
}  // namespace nz::pipeline
