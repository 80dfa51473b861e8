// Clients over TLS: slow ones, and a thousand requests. A handshake and the records around each
// answer are the server's own work, on its only thread.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <numeric>
#include <vector>

#include "userspace/base/test_eventually.h"
#include "userspace/http/test_tls.h"

namespace nz::http {
namespace {

using std::chrono::milliseconds;
using testing::Identity;
using testing::TlsClient;

constexpr std::size_t kBody = 500'000;

class TlsClients : public ::testing::Test {
 protected:
  Server start(Options options = {}) const {
    options.listen = "127.0.0.1:0";
    options.protection = identity_.protection();
    auto server = Server::start(options, {{"GET", "/small",
                                           [](const Request&) {
                                             Response r;
                                             r.body = "ready\n";
                                             return r;
                                           }},
                                          {"GET", "/large", [](const Request&) {
                                             Response r;
                                             r.body = std::string(kBody, 'x');
                                             return r;
                                           }}});
    EXPECT_TRUE(server) << server.error().text();
    return std::move(*server);
  }
  static std::uint64_t rejected(const Server& server) {
    const auto all = server.stats().rejected;
    return std::accumulate(all.begin(), all.end(), std::uint64_t{0});
  }

  Identity identity_;
};

TEST_F(TlsClients, OneThatIsSlowDelaysNoOther) {
  const Server server = start();
  TlsClient shakes(server.port());  // its ClientHello comes a byte for each request of the others
  shakes.hold_back();
  TlsClient reads(server.port());  // takes its large answer a little at a time
  ASSERT_TRUE(reads.handshake());
  for (int i = 0; i < 20; i++) ASSERT_TRUE(reads.ask("/large"));  // more than sockets hold

  TlsClient quick(server.port());
  ASSERT_TRUE(quick.handshake());
  for (int i = 0; i < 100; i++) {
    shakes.let_out(1);
    EXPECT_FALSE(shakes.handshake());
    ASSERT_TRUE(quick.ask("/small"));
    const auto reply = quick.receive();
    ASSERT_EQ(reply.status, 200) << "after " << i << " answers";
    ASSERT_EQ(reply.body, "ready\n");
  }
  EXPECT_EQ(shakes.sent(), 100U) << "bytes of a handshake that is not over";
  EXPECT_EQ(server.stats().connections_open, 3U) << "the slow ones are still there";
  EXPECT_LT(server.stats().requests, 120U) << "not all of what is not read was made";

  // And both are served to the end when they go on.
  for (int i = 0; i < 20; i++) ASSERT_EQ(reads.receive().body.size(), kBody) << i;
  EXPECT_EQ(server.stats().requests, 120U);
  shakes.let_out(1'000'000);
  ASSERT_TRUE(shakes.handshake());
  ASSERT_TRUE(shakes.ask("/small"));
  EXPECT_EQ(shakes.receive().status, 200);
  EXPECT_EQ(rejected(server), 0U);
}

TEST_F(TlsClients, OneThatIsTooSlowIsHeldToTheDeadline) {
  Options options;
  options.request_deadline = milliseconds(400);
  const Server server = start(options);
  TlsClient shakes(server.port());
  shakes.hold_back();
  shakes.let_out(50);
  EXPECT_FALSE(shakes.handshake());
  TlsClient reads(server.port());
  ASSERT_TRUE(reads.handshake());
  for (int i = 0; i < 20; i++) {
    if (!reads.ask("/large")) break;
  }
  EXPECT_TRUE(eventually([&] { return server.stats().connections_open == 0; }));
  EXPECT_EQ(server.stats().connections_late, 2U);
  EXPECT_TRUE(shakes.closed());
  EXPECT_TRUE(reads.closed());
  TlsClient quick(server.port());
  ASSERT_TRUE(quick.handshake());
  ASSERT_TRUE(quick.ask("/small"));
  EXPECT_EQ(quick.receive().status, 200);
}

TEST_F(TlsClients, AThousandRequestsTakeAHandshakeForEachConnectionOnly) {
  const Server server = start();
  std::vector<std::unique_ptr<TlsClient>> clients;
  for (int i = 0; i < 32; i++) {
    clients.push_back(std::make_unique<TlsClient>(server.port()));
    ASSERT_TRUE(clients.back()->handshake()) << i;
  }
  int answered = 0;
  for (int sent = 0; sent < 1'000;) {
    int asked = 0;
    for (; asked < 32 && sent < 1'000; asked++, sent++)
      ASSERT_TRUE(clients[static_cast<std::size_t>(asked)]->ask("/small"));
    for (int i = 0; i < asked; i++)
      answered += clients[static_cast<std::size_t>(i)]->receive().status == 200 ? 1 : 0;
  }
  EXPECT_EQ(answered, 1'000);
  const Stats stats = server.stats();
  EXPECT_EQ(stats.connections, 32U);
  EXPECT_EQ(stats.requests, 1'000U);
  EXPECT_EQ(rejected(server), 0U) << "32 handshakes count as 320 requests: within the limit";
}

}  // namespace
}  // namespace nz::http
