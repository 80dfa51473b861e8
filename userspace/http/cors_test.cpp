// Which pages of other origins may read answers: what the server says to a browser, with and
// without the key http.cors_origins.
#include "userspace/http/cors.h"

#include <gtest/gtest.h>

#include "userspace/http/server.h"
#include "userspace/http/test_client.h"
#include "userspace/http/test_tls.h"

namespace nz::http {
namespace {

using testing::Identity;
using testing::Reply;
using testing::request;
using testing::TlsClient;

const std::string kDesk = "https://desk.example";
const std::string kFromDesk = "Origin: https://desk.example\r\n";
const std::string kFromElse = "Origin: https://else.example\r\n";
const std::string kWants = "Access-Control-Request-Method: ";

Server server_for_desk(Protection protection = {}, std::vector<std::string> origins = {kDesk}) {
  Options options;
  options.listen = "127.0.0.1:0";
  options.protection = std::move(protection);
  options.protection.cors_origins = std::move(origins);
  const auto answer = [](const Request&) { return Response{}; };
  auto server = Server::start(options, {{"GET", "/metrics", answer}, {"POST", "/reports", answer}});
  EXPECT_TRUE(server) << server.error().text();
  return std::move(*server);
}

bool says(const Reply& reply, const std::string& header) { return reply.headers.contains(header); }

TEST(Cors, IsOffByDefault) {
  const Server server = server_for_desk({}, {});
  const Reply reply = request(server.port(), "GET", "/metrics", kFromDesk);
  EXPECT_EQ(reply.status, 200);
  EXPECT_FALSE(says(reply, "access-control-allow-origin"));
  EXPECT_FALSE(says(reply, "vary"));
  EXPECT_EQ(request(server.port(), "OPTIONS", "/metrics", kFromDesk + kWants + "GET\r\n").status,
            405);
}

TEST(Cors, AnAllowedOriginReadsAnswersAndRefusals) {
  const Server server = server_for_desk();
  for (const auto& [path, status] : {std::pair{"/metrics", 200}, {"/nothing", 404}}) {
    Reply reply = request(server.port(), "GET", path, kFromDesk);
    EXPECT_EQ(reply.status, status);
    EXPECT_EQ(reply.headers["access-control-allow-origin"], kDesk);
    EXPECT_EQ(reply.headers["vary"], "Origin");
    EXPECT_EQ(reply.headers["access-control-expose-headers"], "ETag, Location, Retry-After");
    EXPECT_FALSE(says(reply, "access-control-allow-credentials"));
  }
}

TEST(Cors, OtherOriginsLearnNothing) {
  const Server server = server_for_desk();
  for (const std::string& origin : {kFromElse, std::string("Origin: null\r\n"),
                                    std::string("Origin: https://desk.example.else\r\n"),
                                    std::string("Origin: https://desk.example:8443\r\n")}) {
    const Reply reply = request(server.port(), "GET", "/metrics", origin);
    EXPECT_EQ(reply.status, 200) << "a program that is no browser";
    EXPECT_FALSE(says(reply, "access-control-allow-origin")) << origin;
    EXPECT_EQ(request(server.port(), "OPTIONS", "/metrics", origin + kWants + "GET\r\n").status,
              405);
  }
  // Without an origin, too: caches must not give one page's answer to another.
  EXPECT_EQ(request(server.port(), "GET", "/metrics").headers["vary"], "Origin");
}

TEST(Cors, APreflightIsToldWhatThePathAnswers) {
  const Server server = server_for_desk();
  Reply reply = request(server.port(), "OPTIONS", "/reports", kFromDesk + kWants + "POST\r\n");
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.body, "");
  EXPECT_EQ(reply.headers["access-control-allow-origin"], kDesk);
  EXPECT_EQ(reply.headers["access-control-allow-methods"], "POST");
  EXPECT_EQ(reply.headers["access-control-allow-headers"],
            "Authorization, Content-Type, If-None-Match");
  EXPECT_EQ(reply.headers["access-control-max-age"], "600");
  reply = request(server.port(), "OPTIONS", "/metrics", kFromDesk + kWants + "GET\r\n");
  EXPECT_EQ(reply.headers["access-control-allow-methods"], "GET, HEAD");
  EXPECT_EQ(request(server.port(), "OPTIONS", "/no", kFromDesk + kWants + "GET\r\n").status, 404);
  EXPECT_EQ(request(server.port(), "OPTIONS", "/metrics", kFromDesk).status, 405)
      << "no preflight: it does not say what it wants";
}

// A browser sends no token with a preflight, and the token with the request behind it.
TEST(Cors, WithATokenOnlyPreflightsPassWithoutIt) {
  const Identity identity;
  const Server server = server_for_desk(identity.protection());
  const auto ask = [&](const std::string& method, const std::string& headers) {
    TlsClient client(server.port());
    EXPECT_TRUE(client.handshake());
    EXPECT_TRUE(client.send(method + " /metrics HTTP/1.0\r\n" + headers + "\r\n"));
    return client.receive();
  };
  EXPECT_EQ(ask("OPTIONS", kFromDesk + kWants + "GET\r\n").status, 204);
  EXPECT_EQ(ask("OPTIONS", kFromElse + kWants + "GET\r\n").status, 401);
  Reply refused = ask("GET", kFromDesk);
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.headers["access-control-allow-origin"], kDesk) << "the page learns why";
  EXPECT_EQ(ask("GET", kFromDesk + "Authorization: Bearer " + Identity::kToken + "\r\n").status,
            200);
}

TEST(Cors, PreflightsAreHeldToTheRateLimit) {
  Protection protection;
  protection.requests_per_second = 1;
  protection.request_burst = 5;
  const Server server = server_for_desk(protection);
  int refused = 0;
  for (int i = 0; i < 30; i++) {
    const int status =
        request(server.port(), "OPTIONS", "/metrics", kFromDesk + kWants + "GET\r\n").status;
    refused += status == 429 ? 1 : 0;
  }
  EXPECT_GE(refused, 10);
}

TEST(Cors, OriginsChangeWhileItRuns) {
  Server server = server_for_desk();
  Protection next;
  next.cors_origins = {"https://else.example"};
  ASSERT_TRUE(server.protect(next));
  EXPECT_FALSE(
      says(request(server.port(), "GET", "/metrics", kFromDesk), "access-control-allow-origin"));
  EXPECT_EQ(
      request(server.port(), "GET", "/metrics", kFromElse).headers["access-control-allow-origin"],
      "https://else.example");
}

}  // namespace
}  // namespace nz::http
