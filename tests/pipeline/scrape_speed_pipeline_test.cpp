// What a scrape of 10,000 sample lines costs, through the real server and routes.
#include <gtest/gtest.h>
#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <vector>

#include "userspace/agent/routes.h"
#include "userspace/http/server.h"

namespace nz::pipeline {
namespace {

// Sample lines of the text format: what is no comment.
size_t lines_of(const std::string& text) {
  size_t lines = 0;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines += line.starts_with('#') ? 0 : 1;
  return lines;
}

constexpr int kHistograms = 210;  // some 50 lines each: buckets, sum, count

std::shared_ptr<agent::Snapshot> many_histograms() {
  auto snapshot = std::make_shared<agent::Snapshot>();
  metrics::Family family{
      "nearzero_sqlite_statement_duration_seconds", "Time.", metrics::Type::histogram, {}};
  for (int i = 0; i < kHistograms; i++) {
    auto h = std::make_shared<analysis::Histogram>();
    // A wide distribution: 100 of the 256 buckets are in use.
    for (size_t b = 60; b < 160; b++) h->buckets[b] = static_cast<uint64_t>(i) * b + 1;
    h->sum_ns = 1'000'000;
    family.samples.push_back({{{"target", "demo"},
                               {"digest", std::to_string(i)},
                               {"statement", "INSERT INTO orders(id, price) VALUES (?, ?)"}},
                              0,
                              std::move(h)});
  }
  snapshot->families.push_back(std::move(family));
  return snapshot;
}

TEST(ScrapeSpeed, TenThousandLines) {
  auto box = std::make_shared<agent::SnapshotBox>();
  box->put(many_histograms());
  http::Options options;
  options.listen = "127.0.0.1:0";
  auto server = http::Server::start(options, agent::routes(box));
  ASSERT_TRUE(server.has_value()) << server.error().text();
  httplib::Client client("127.0.0.1", server->port());
  client.set_keep_alive(true);
  const auto plain = client.Get("/metrics");
  ASSERT_TRUE(plain);
  const size_t lines = lines_of(plain->body);
  ASSERT_GE(lines, 10'000U);
  const std::string protobuf =
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
  for (const auto& [name, accept] :
       {std::pair<std::string, std::string>{"text", "text/plain"}, {"native", protobuf}}) {
    for (const char* encoding : {"identity", "gzip"}) {
      std::vector<double> ms;
      size_t bytes = 0;
      for (int i = 0; i < 30; i++) {
        const auto start = std::chrono::steady_clock::now();
        const auto response =
            client.Get("/metrics", {{"Accept", accept}, {"Accept-Encoding", encoding}});
        ASSERT_TRUE(response);
        ASSERT_EQ(response->status, 200);
        ms.push_back(
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
                .count());
        bytes = response->body.size();
      }
      std::sort(ms.begin(), ms.end());
      std::printf(
          "%zu lines as %-6s %-8s %8zu bytes: median %.2f ms, fastest %.2f ms, slowest %.2f ms\n",
          lines, name.c_str(), encoding, bytes, ms[15], ms[0], ms[29]);
      RecordProperty(name + "_" + encoding + "_median_us", static_cast<int>(ms[15] * 1000));
      // The promise is 15 ms (docs/rest.md); a slow machine gets many times that. The fastest of
      // thirty is what it takes; others were disturbed.
#ifdef NZ_INSTRUMENTED
      EXPECT_LT(ms[0], 100) << name << " " << encoding;
#else
      EXPECT_LT(ms[0], std::string(encoding) == "gzip" ? 120 : 60) << name << " " << encoding;
#endif
      EXPECT_LT(ms[15], 100) << name << " " << encoding;
    }
  }
}

}  // namespace
}  // namespace nz::pipeline
