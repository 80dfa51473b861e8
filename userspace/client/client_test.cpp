#include "userspace/client/client.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "userspace/client/test_server.h"

namespace nz::client {
namespace {

using testing::Server;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Url, PartsAndMistakes) {
  const auto plain = parse_url("http://127.0.0.1:9090");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->origin, "http://127.0.0.1:9090");
  EXPECT_EQ(plain->prefix, "");
  EXPECT_FALSE(plain->tls);
  const auto deep = parse_url("https://host.example/a/prometheus/");
  ASSERT_TRUE(deep);
  EXPECT_EQ(deep->origin, "https://host.example");
  EXPECT_EQ(deep->prefix, "/a/prometheus");
  EXPECT_TRUE(deep->tls);
  EXPECT_EQ(parse_url("http://[::1]:80/")->host, "::1");
  for (const char* bad : {"", "127.0.0.1:9090", "ftp://x", "http://", "http:///x", "http://a b",
                          "http://user:pw@host", "http://host/?q", "http://[::1", "https:/x"}) {
    const auto url = parse_url(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_TRUE(has(url.error().remedy, "http://127.0.0.1:9718")) << bad;
  }
}

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() {
    server_.server.Get("/p/echo", [](const httplib::Request& r, httplib::Response& out) {
      out.set_content(r.get_param_value("q") + "|" + r.get_header_value("Authorization"),
                      "text/plain");
    });
    server_.server.Post("/p/made", [](const httplib::Request& r, httplib::Response& out) {
      out.status = 201;
      out.set_header("Location", "/made/1");
      out.set_content(r.body, "application/json");
    });
    server_.server.Get("/p/large", [](const httplib::Request&, httplib::Response& out) {
      out.set_content(std::string(3 << 20, 'x'), "text/plain");
    });
    server_.server.Post("/p/large", [](const httplib::Request&, httplib::Response& out) {
      out.set_content(std::string(3 << 20, 'x'), "text/plain");
    });
    server_.server.Post("/p/nothing",
                        [](const httplib::Request&, httplib::Response& out) { out.status = 204; });
    server_.server.Get("/p/rude", [](const httplib::Request&, httplib::Response& out) {
      out.status = 400;
      out.set_content(R"({"detail": "no\u001b[31m\n" })", "application/problem+json");
    });
    server_.server.Get("/p/moved", [](const httplib::Request&, httplib::Response& out) {
      out.set_redirect("http://elsewhere.example/");
    });
    server_.server.Get("/p/denied", [](const httplib::Request&, httplib::Response& out) {
      out.status = 401;
      out.set_content(R"({"detail": "a token is needed"})", "application/problem+json");
    });
    server_.start();
  }
  Options options() const {
    Options o;
    o.url = server_.url() + "/p";
    o.timeout = 5;
    return o;
  }
  static std::string token_file(const std::string& text, unsigned mode) {
    char path[] = "/tmp/nearzero-token.XXXXXX";
    const int fd = mkstemp(path);
    EXPECT_GE(fd, 0);
    close(fd);
    std::ofstream(path) << text;
    chmod(path, mode);
    return path;
  }
  Server server_;
};

TEST_F(ClientTest, AsksUnderThePrefixWithEverythingEncoded) {
  auto client = Client::make(options());
  ASSERT_TRUE(client) << client.error().text();
  const std::string promql = "sum by (a) (x{b=\"c&d\"}) + 1 / 2 % 3 # \xC3\xA9";
  const auto reply = client->get("/echo", {{"q", promql}});
  ASSERT_TRUE(reply) << reply.error().text();
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, promql + "|");
  const auto made = client->post("/made", "{}", "application/json");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->status, 201);
  EXPECT_EQ(made->location, "/made/1");
  EXPECT_EQ(made->body, "{}");
  EXPECT_EQ(client->post("/nothing", "{}", "application/json")->status, 204);
}

TEST_F(ClientTest, ATokenIsSent) {
  Options o = options();
  o.token_file = token_file("# mine\n\nsecret-token \r\nother\n", 0600);
  auto client = Client::make(o);
  ASSERT_TRUE(client) << client.error().text();
  EXPECT_EQ(client->get("/echo")->body, "|Bearer secret-token");
  unlink(o.token_file.c_str());
}

TEST_F(ClientTest, ATokenIsKept) {
  Options o = options();
  o.token_file = token_file("secret-token\n", 0644);
  const auto open = Client::make(o);
  ASSERT_FALSE(open);
  EXPECT_TRUE(has(open.error().remedy, "chmod 600"));
  chmod(o.token_file.c_str(), 0600);
  for (const char* url : {"http://far.example:9718", "http://127.0.0.1.far.example:9718"}) {
    o.url = url;
    const auto plain = Client::make(o);
    ASSERT_FALSE(plain) << url;
    EXPECT_EQ(plain.error().remedy, "use https");
    EXPECT_FALSE(has(plain.error().text(), "secret-token"));
  }
  unlink(o.token_file.c_str());
  o = options();
  o.token_file = token_file("# nothing\n", 0600);
  EXPECT_TRUE(has(Client::make(o).error().what, "holds no token"));
  unlink(o.token_file.c_str());
  o.token_file = "/nonexistent/token";
  EXPECT_TRUE(has(Client::make(o).error().what, "/nonexistent/token"));
}

TEST_F(ClientTest, RefusalsSayWhatToDo) {
  auto client = Client::make(options());
  ASSERT_TRUE(client);
  const auto denied = client->get("/denied");
  ASSERT_TRUE(denied);
  const Error error = client->refusal(*denied, "/denied");
  EXPECT_TRUE(has(error.what, "answers 401 to /denied: a token is needed")) << error.what;
  EXPECT_TRUE(has(error.remedy, "--token-file"));
  const auto rude = client->get("/rude");
  ASSERT_TRUE(rude);
  EXPECT_TRUE(has(client->refusal(*rude, "/rude").what, "answers 400 to /rude: no?[31m?"));
  const auto moved = client->get("/moved");
  ASSERT_TRUE(moved);
  EXPECT_TRUE(has(client->refusal(*moved, "/moved").remedy, "http://elsewhere.example/"));
  const auto none = client->get("/nothing");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->status, 404);
}

TEST_F(ClientTest, ALongAnswerIsAnError) {
  Options o = options();
  o.most_bytes = 1 << 20;
  auto client = Client::make(o);
  const auto reply = client->get("/large");
  ASSERT_FALSE(reply);
  EXPECT_TRUE(has(reply.error().what, "more than 1 MB")) << reply.error().what;
  const auto posted = client->post("/large", "{}", "application/json");
  ASSERT_FALSE(posted);
  EXPECT_TRUE(has(posted.error().what, "more than 1 MB")) << posted.error().what;
  o.most_bytes = 4 << 20;
  EXPECT_EQ(Client::make(o)->get("/large")->body.size(), 3U << 20U);
}

TEST(ClientAlone, NobodyListens) {
  Options o;
  o.url = "http://127.0.0.1:1";
  o.start_it = "start it";
  const auto reply = Client::make(o)->get("/");
  ASSERT_FALSE(reply);
  EXPECT_TRUE(has(reply.error().what, "the agent does not answer at http://127.0.0.1:1"))
      << reply.error().what;
  EXPECT_EQ(reply.error().remedy, "start it");
}

TEST(ClientAlone, TlsWhereThereIsNone) {
  Server server;
  server.start();
  Options o;
  o.url = "https://127.0.0.1:" + std::to_string(server.port);
  o.timeout = 5;
  const auto reply = Client::make(o)->get("/");
  ASSERT_FALSE(reply);
  EXPECT_TRUE(has(reply.error().what, "does not answer")) << reply.error().what;
  o.ca_file = "/nonexistent/ca.pem";
  EXPECT_FALSE(Client::make(o)->get("/"));
}

}  // namespace
}  // namespace nz::client
