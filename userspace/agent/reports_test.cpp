// Reports by schedule, and what the interface finds of them after a restart.
#include "userspace/agent/reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "userspace/agent/stored_reports.h"
#include "userspace/http/router.h"
#include "userspace/rest/fake_source.h"
#include "userspace/rest/routes.h"
#include "userspace/store/test_store.h"

namespace nz::agent {
namespace {

using rest::testing::FakeSource;
using rest::testing::kNow;
using rest::testing::kStart;
using ::testing::HasSubstr;

constexpr const char* kPath = "/performance/reports";

config::ReportSchedule schedule(const std::string& name) {
  config::ReportSchedule s;
  s.name = name;
  s.every = std::chrono::minutes(5);
  s.format = "md";
  return s;
}

// What one run of the agent has of it: a store, the interface, and schedules.
class Agent {
 public:
  Agent(const std::string& file, const FakeSource& source, const config::Reports& config)
      : store_(store::testing::open_store({.path = file})),
        archive_(*store_),
        router_(*http::Router::make(rest::routes(source, kept_))),
        reports(source, kept_) {
    kept_->set_archive(&archive_);
    reports.configure(config);
  }
  std::string ask(const std::string& method, const std::string& path,
                  const std::string& format = {}) {
    http::Request request;
    request.method = method;
    request.path = path;
    if (!format.empty()) request.query_params = {{"format", format}};
    const http::Response response = router_.answer(request);
    status = response.status;
    return response.text();
  }
  double value(const std::string& family, const metrics::Labels& labels) const {
    std::vector<metrics::Family> families;
    reports.collect(families);
    for (const metrics::Family& f : families) {
      if (f.name != family) continue;
      for (const metrics::Sample& s : f.samples) {
        if (s.labels == labels) return s.value;
      }
    }
    return -1;
  }
  int status = 0;

 private:
  std::unique_ptr<store::Store> store_;
  StoredReports archive_;
  std::shared_ptr<rest::ReportStore> kept_ = std::make_shared<rest::ReportStore>();
  http::Router router_;

 public:
  Reports reports;
};

std::string content(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Reports, AreMadeInTimeAndFoundAfterARestart) {
  const store::testing::Folder folder;
  const FakeSource source;
  config::Reports config;
  config.folder = folder.file("reports");
  config.schedule = {schedule("often")};
  const std::string id = "often-20261127T085500Z";
  const std::string file = folder.file("reports") + "/often/nearzero-report-20261127T085500Z.md";
  std::string page, figures;
  {
    Agent run(folder.file(), source, config);
    run.reports.step(kStart + 10);  // the first ends at 08:55
    EXPECT_THAT(run.ask("GET", kPath), HasSubstr(R"("reports":[])"));
    run.reports.step(kStart + 330);
    EXPECT_THAT(run.ask("GET", kPath), HasSubstr(id));
    figures = run.ask("GET", std::string(kPath) + "/" + id);
    EXPECT_THAT(figures, HasSubstr("nearzero_order_stage_duration_seconds"));
    page = run.ask("GET", std::string(kPath) + "/" + id, "html");
    EXPECT_THAT(page, HasSubstr("<html"));
    EXPECT_EQ(content(file), run.ask("GET", std::string(kPath) + "/" + id, "markdown"));
    EXPECT_EQ(run.value("nearzero_scheduled_reports_total", {{"schedule", "often"}}), 1);
    EXPECT_EQ(run.value("nearzero_scheduled_report_timestamp_seconds", {{"schedule", "often"}}),
              kStart + 300);
    run.ask("POST", kPath);
    EXPECT_EQ(run.status, 201);
  }
  Agent run(folder.file(), source, config);
  run.reports.step(kStart + 340);
  EXPECT_EQ(run.value("nearzero_scheduled_reports_total", {{"schedule", "often"}}), -1)
      << "none is made twice";
  const std::string list = run.ask("GET", kPath);
  EXPECT_THAT(list, HasSubstr(id));
  EXPECT_THAT(list, HasSubstr("20261127T090000Z-1")) << "the one that was asked for, too";
  EXPECT_EQ(run.ask("GET", std::string(kPath) + "/" + id), figures) << "as it was made";
  EXPECT_EQ(run.ask("GET", std::string(kPath) + "/" + id, "html"), page);
  run.ask("POST", kPath);
  EXPECT_THAT(run.ask("GET", kPath), HasSubstr("20261127T090000Z-2")) << "no id is had twice";
}

TEST(Reports, WithoutAFolderHistoryKnowsWhichWasTheLast) {
  const store::testing::Folder folder;
  const FakeSource source;
  config::Reports config;
  config.schedule = {schedule("a"), schedule("a-b")};
  const metrics::Labels a{{"schedule", "a"}};
  {
    Agent run(folder.file(), source, config);
    run.reports.step(kStart + 10);
    run.reports.step(kStart + 330);
    EXPECT_EQ(run.value("nearzero_scheduled_reports_total", a), 1);
  }
  Agent run(folder.file(), source, config);
  run.reports.step(kStart + 340);
  EXPECT_EQ(run.value("nearzero_scheduled_reports_total", a), -1);
  run.reports.step(kStart + 630);
  EXPECT_EQ(run.value("nearzero_scheduled_reports_total", a), 1);
  EXPECT_EQ(run.value("nearzero_scheduled_reports_total", {{"schedule", "a-b"}}), 1);
}

TEST(Reports, AFolderThatTakesNothingIsCountedAndTheReportIsKept) {
  const store::testing::Folder folder;
  const FakeSource source;
  config::Reports config;
  config.folder = folder.file("no-folder");
  std::ofstream(config.folder) << "a file";
  config.schedule = {schedule("often")};
  Agent run(folder.file(), source, config);
  run.reports.step(kStart + 10);
  run.reports.step(kStart + 330);
  EXPECT_EQ(run.value("nearzero_report_errors_total", {{"kind", "file"}}), 1);
  EXPECT_THAT(run.ask("GET", kPath), HasSubstr("often-20261127T085500Z"));
}

TEST(Reports, SchedulesMayChangeWhileItRuns) {
  const store::testing::Folder folder;
  const FakeSource source;
  config::Reports config;
  config.schedule = {schedule("old")};
  Agent run(folder.file(), source, config);
  run.reports.step(kStart + 10);
  config.schedule.push_back(schedule("new"));
  run.reports.configure(config);
  run.reports.step(kStart + 20);
  run.reports.step(kStart + 330);
  EXPECT_EQ(run.value("nearzero_scheduled_reports_total", {{"schedule", "old"}}), 1);
  EXPECT_EQ(run.value("nearzero_scheduled_reports_total", {{"schedule", "new"}}), 1);
  run.reports.configure({});
  run.reports.step(kStart + 640);
  EXPECT_EQ(run.value("nearzero_scheduled_reports_total", {{"schedule", "old"}}), -1);
}

TEST(Reports, NothingIsMadeOfATimeThatNobodySaw) {
  const store::testing::Folder folder;
  const FakeSource source;
  config::Reports config;
  config.schedule = {schedule("often")};
  Agent run(folder.file(), source, config);
  run.reports.step(kNow + 86400);
  run.reports.step(kNow + 86400 + 630);
  EXPECT_EQ(run.value("nearzero_scheduled_reports_total", {{"schedule", "often"}}), -1);
  EXPECT_THAT(run.ask("GET", kPath), HasSubstr(R"("reports":[])"));
}

TEST(StoredReports, WhatAnotherProgramPutIsNoReport) {
  const store::testing::Folder folder;
  const auto store = store::testing::open_store({.path = folder.file()});
  ASSERT_TRUE(store->put_report({"x", "not of this version", kNow, kStart, kNow, 0, true, "{}"}));
  const StoredReports archive(*store);
  EXPECT_EQ(archive.list().size(), 1U);
  EXPECT_FALSE(archive.find("x"));
  EXPECT_FALSE(archive.find("y"));
  EXPECT_EQ(archive.errors(), 1U);
}

}  // namespace
}  // namespace nz::agent
