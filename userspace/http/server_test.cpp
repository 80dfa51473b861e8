#include "userspace/http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "userspace/base/courtesy.h"
#include "userspace/http/test_client.h"

namespace nz::http {
namespace {

using testing::dial;
using testing::get;
using ::testing::HasSubstr;
using testing::parse_reply;
using testing::Reply;
using testing::request;
using testing::round_trip;
using testing::send_all;

Response text(std::string body) {
  Response r;
  r.body = std::move(body);
  return r;
}

std::string gunzip(const std::string& compressed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  std::string result(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  result.resize(stream.total_out);
  inflateEnd(&stream);
  return result;
}

const std::string& large_body() {
  static const std::string body = [] {
    std::string s;
    for (int i = 0; i < 5'000; ++i) s += "nearzero_line " + std::to_string(i) + "\n";
    return s;
  }();
  return body;
}

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    Options options;
    options.listen = "127.0.0.1:0";
    auto started = Server::start(
        options, {{"GET", "/hello", [](const Request&) { return text("hello\n"); }},
                  {"GET", "/large", [](const Request&) { return text(large_body()); }},
                  {"GET", "/echo",
                   [](const Request& r) {
                     return text(r.method + "|" + r.path + "|" +
                                 std::string(r.query("a").value_or("none")) + "|" +
                                 std::string(r.query("flag").value_or("none")) + "|" +
                                 r.header("x-custom"));
                   }},
                  {"POST", "/submit", [](const Request&) { return text("taken\n"); }},
                  {"POST", "/body", [](const Request& r) { return text(r.body); }},
                  {"GET", "/throws",
                   [](const Request&) -> Response { throw std::runtime_error("secret detail"); }},
                  {"GET", "/throws-int", [](const Request&) -> Response { throw 42; }}});
    EXPECT_TRUE(started) << started.error().text();
    server_ = std::make_unique<Server>(std::move(*started));
  }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }

  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersARoute) {
  const Reply reply = get(port(), "/hello");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "hello\n");
  EXPECT_EQ(reply.headers.at("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(reply.headers.at("content-length"), "6");
}

TEST_F(ServerTest, GivesTheHandlerPathQueryAndHeaders) {
  const Reply reply =
      get(port(), "/echo?a=x%20y%26z&flag&a=second", "X-Custom: 1\r\nx-custom: 2\r\n");
  EXPECT_EQ(reply.body, "GET|/echo|x y&z||1, 2");
  EXPECT_EQ(get(port(), "/echo").body, "GET|/echo|none|none|");
}

TEST_F(ServerTest, HeadHasTheHeadersOfGetAndNoBody) {
  const Reply reply = request(port(), "HEAD", "/large");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("content-length"), std::to_string(large_body().size()));
  EXPECT_EQ(reply.body, "");
}

TEST_F(ServerTest, UnknownPathIsAProblemThatNamesThePaths) {
  const Reply reply = get(port(), "/nowhere%22%ff");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.headers.at("content-type"), "application/problem+json");
  const auto body = nlohmann::json::parse(reply.body);
  EXPECT_EQ(body["status"], 404);
  EXPECT_EQ(body["title"], "Not Found");
  EXPECT_EQ(body["type"], "about:blank");
  EXPECT_EQ(body["instance"], "/nowhere\"\uFFFD");
  EXPECT_THAT(body["detail"].get<std::string>(), HasSubstr("/hello"));
}

TEST_F(ServerTest, WrongMethodSaysWhichAreAllowed) {
  const Reply reply = request(port(), "DELETE", "/hello");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.headers.at("allow"), "GET, HEAD");
  EXPECT_EQ(nlohmann::json::parse(reply.body)["status"], 405);
  EXPECT_EQ(request(port(), "GET", "/submit").headers.at("allow"), "POST");
}

TEST_F(ServerTest, PostWithASmallBodyReachesItsRoute) {
  const Reply reply = round_trip(port(),
                                 "POST /submit HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                 "Content-Length: 5\r\n\r\nhello");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "taken\n");
}

TEST_F(ServerTest, HandlersExceptionIsA500AndTheServerGoesOn) {
  for (const char* path : {"/throws", "/throws-int"}) {
    const Reply reply = get(port(), path);
    EXPECT_EQ(reply.status, 500);
    EXPECT_EQ(nlohmann::json::parse(reply.body)["status"], 500);
    EXPECT_EQ(reply.body.find("secret"), std::string::npos);
  }
  EXPECT_EQ(get(port(), "/hello").status, 200);
}

TEST_F(ServerTest, CompressesALargeBodyWhereAllowed) {
  const Reply reply = get(port(), "/large", "Accept-Encoding: br, gzip;q=0.8\r\n");
  EXPECT_EQ(reply.headers.at("content-encoding"), "gzip");
  EXPECT_EQ(reply.headers.at("vary"), "Accept-Encoding");
  EXPECT_LT(reply.body.size(), large_body().size() / 2);
  EXPECT_EQ(gunzip(reply.body), large_body());
}

TEST_F(ServerTest, DoesNotCompressWhereNotAllowedOrNotWorthIt) {
  EXPECT_EQ(get(port(), "/large").headers.count("content-encoding"), 0U);
  EXPECT_EQ(get(port(), "/large", "Accept-Encoding: gzip;q=0\r\n").body, large_body());
  EXPECT_EQ(get(port(), "/hello", "Accept-Encoding: gzip\r\n").body, "hello\n");
}

TEST_F(ServerTest, KeepsAConnectionForSeveralRequests) {
  const Fd fd = dial(port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(send_all(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"));
    std::string reply;
    char buffer[4096];
    while (reply.find("hello\n") == std::string::npos) {
      const ssize_t n = recv(fd.get(), buffer, sizeof buffer, 0);
      ASSERT_GT(n, 0);
      reply.append(buffer, static_cast<std::size_t>(n));
    }
    EXPECT_EQ(parse_reply(reply).status, 200);
  }
  EXPECT_EQ(server_->stats().connections, 1U);
}

TEST_F(ServerTest, CountsWhatItDid) {
  get(port(), "/hello");
  get(port(), "/nowhere");
  get(port(), "/throws");
  const Stats s = server_->stats();
  EXPECT_EQ(s.requests, 3U);
  EXPECT_EQ(s.client_errors, 1U);
  EXPECT_EQ(s.server_errors, 1U);
  EXPECT_EQ(s.connections, 3U);
  EXPECT_GT(s.body_bytes, 6U);
  EXPECT_GT(s.answer_seconds, 0);
}

TEST_F(ServerTest, PortInUseNamesTheAddressAndWhatToDo) {
  Options options;
  options.listen = "127.0.0.1:" + std::to_string(port());
  const auto second = Server::start(options, {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, HasSubstr(options.listen));
  EXPECT_THAT(second.error().what, HasSubstr("in use"));
  EXPECT_THAT(second.error().remedy, HasSubstr("another agent?"));
  EXPECT_THAT(second.error().remedy, HasSubstr("nearzero agent --listen"));
  EXPECT_EQ(second.error().code, EADDRINUSE);
}

TEST_F(ServerTest, StopClosesThePortAndOpenConnections) {
  const std::uint16_t old_port = port();
  const Fd fd = dial(old_port);
  ASSERT_TRUE(send_all(fd, "GET /hel"));
  server_->stop();
  EXPECT_EQ(testing::read_all(fd), "");
  EXPECT_FALSE(dial(old_port).valid());
  server_->stop();  // a second time does nothing
}

TEST_F(ServerTest, PortCanBeTakenAgainAtOnce) {
  const std::uint16_t old_port = port();
  get(old_port, "/hello");
  server_->stop();
  Options options;
  options.listen = "127.0.0.1:" + std::to_string(old_port);
  const auto again = Server::start(options, {});
  EXPECT_TRUE(again) << again.error().text();
}

TEST_F(ServerTest, BodyOfAPostReachesItsHandler) {
  const auto post = [&](const std::string& body) {
    return round_trip(port(), "POST /body HTTP/1.0\r\nHost: x\r\nContent-Length: " +
                                  std::to_string(body.size()) + "\r\n\r\n" + body);
  };
  EXPECT_EQ(post("").body, "");
  EXPECT_EQ(post("{\"a\": 1}").body, "{\"a\": 1}");
  const std::string longest(kMostBodyBytes, 'b');
  EXPECT_EQ(post(longest).body, longest);
  const Reply too_long = post(longest + "b");
  EXPECT_EQ(too_long.status, 413);
  EXPECT_THAT(too_long.body, HasSubstr("16 KB"));
}

TEST(ServerStart, RefusesRoutesThatContradict) {
  const Handler handler = [](const Request&) { return text(""); };
  Options options;
  options.listen = "127.0.0.1:0";
  EXPECT_FALSE(Server::start(options, {{"GET", "/a", handler}, {"GET", "/a", handler}}));
  EXPECT_FALSE(Server::start(options, {{"GET", "a", handler}}));
  EXPECT_FALSE(Server::start(options, {{"GET", "/a", nullptr}}));
}

TEST(ServerHandlers, NeverRunAtTheSameTime) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  Options options;
  options.listen = "127.0.0.1:0";
  auto server =
      Server::start(options, {{"GET", "/", [&](const Request&) {
                                 most = std::max(most.load(), ++running);
                                 std::this_thread::sleep_for(std::chrono::milliseconds(5));
                                 --running;
                                 return text("ok");
                               }}});
  ASSERT_TRUE(server);
  std::vector<std::future<int>> replies;
  for (int i = 0; i < 10; ++i) {
    replies.push_back(
        std::async(std::launch::async, [&] { return get(server->port(), "/").status; }));
  }
  for (auto& reply : replies) EXPECT_EQ(reply.get(), 200);
  EXPECT_EQ(most, 1);
}

TEST(ServerOnIPv6, Answers) {
  Options options;
  options.listen = "[::1]:0";
  auto server = Server::start(options, {});
  if (!server) GTEST_SKIP() << "no IPv6 loopback here: " << server.error().text();
  EXPECT_NE(server->port(), 0);
}

// The thread that answers gives way to those that are observed, and to the drain.
TEST_F(ServerTest, ItsThreadIsTheLastToRun) {
  ASSERT_EQ(get(port(), "/hello").status, 200);  // it runs
  int found = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    const int nice =
        getpriority(PRIO_PROCESS, static_cast<id_t>(std::stoul(task.path().filename().string())));
    if (name != "nz-http") continue;
    found++;
    EXPECT_EQ(nice, kNiceOfAnswers);
    EXPECT_GT(nice, kNiceOfDrain);
  }
  EXPECT_EQ(found, 1);
}

}  // namespace
}  // namespace nz::http
