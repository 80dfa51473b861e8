#include "userspace/http/admission.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <fstream>

#include "userspace/base/fd.h"
#include "userspace/http/connections.h"

namespace nz::http {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kOld(32, 'a');
const std::string kNew = "0123456789-._~+/ABCDEFGHIJKLMNOPQRSTUVWXYZ==";
const RateLimit::Clock::time_point kNow{std::chrono::hours(1)};

std::string header_of(const Response& response, const std::string& name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

TEST(Tokens, SeveralAreAcceptedForRotation) {
  const auto tokens = Tokens::parse("# before May\n" + kOld + "\r\n\n  " + kNew + " \n", "f");
  ASSERT_TRUE(tokens) << tokens.error().text();
  EXPECT_EQ(tokens->size(), 2U);
  EXPECT_TRUE(tokens->accept("Bearer " + kOld));
  EXPECT_TRUE(tokens->accept("bearer  " + kNew + " "));
  for (const std::string& wrong :
       {std::string(), std::string("Bearer"), std::string("Bearer "), kOld, "Basic " + kOld,
        "Bearer " + kOld + "a", "Bearer " + kOld.substr(1), std::string("Bearer# before May"),
        "Bearer " + kOld + "," + kNew, "Bearer " + std::string(10'000, 'a')}) {
    EXPECT_FALSE(tokens->accept(wrong)) << wrong;
  }
}

TEST(Tokens, WhatCouldBeGuessedIsRefusedAndNeverShown) {
  const std::string almost(31, 's');
  const auto tokens = Tokens::parse(kOld + "\n" + almost + "\n", "tokens.txt");
  ASSERT_FALSE(tokens);
  EXPECT_THAT(tokens.error().text(), HasSubstr("tokens.txt:2: a token of 31 characters"));
  EXPECT_THAT(tokens.error().text(), HasSubstr("openssl rand -hex 32"));
  EXPECT_THAT(tokens.error().text(), Not(HasSubstr("sss")));
  EXPECT_THAT(Tokens::parse(std::string(40, '"'), "f").error().text(),
              HasSubstr("f:1: a token may"));
  EXPECT_THAT(Tokens::parse("\n# none\n", "f").error().text(), HasSubstr("f: holds no token"));
  std::string many;
  for (int i = 0; i < 65; i++) many += kOld + "\n";
  EXPECT_THAT(Tokens::parse(many, "f").error().text(), HasSubstr("f:65: more than 64 tokens"));
}

TEST(Tokens, AFileThatOthersMayReadIsRefusedWithTheCommand) {
  const std::string path = ::testing::TempDir() + "/nz-tokens";
  std::ofstream(path) << kOld << "\n";
  for (const mode_t mode : {0644, 0604, 0602, 0601}) {
    chmod(path.c_str(), mode);
    const auto tokens = Tokens::load(path);
    ASSERT_FALSE(tokens) << std::oct << mode;
    EXPECT_THAT(tokens.error().what, HasSubstr("http.token_file: " + path));
    EXPECT_EQ(tokens.error().remedy, "chmod 600 " + path);
  }
  for (const mode_t mode : {0600, 0640, 0400}) {
    chmod(path.c_str(), mode);
    EXPECT_TRUE(Tokens::load(path)) << std::oct << mode;
  }
  unlink(path.c_str());
  EXPECT_THAT(Tokens::load(path).error().text(), HasSubstr("No such file"));
  EXPECT_THAT(Tokens::load("/dev/zero").error().text(), HasSubstr("not a regular file"));
}

TEST(RateLimit, ABurstThenTheRate) {
  RateLimit limit;
  limit.set(10, 5);
  for (int i = 0; i < 5; i++) EXPECT_TRUE(limit.take("a", 1, kNow)) << i;
  EXPECT_FALSE(limit.take("a", 1, kNow));
  EXPECT_EQ(limit.retry_after("a"), 1U);
  EXPECT_TRUE(limit.take("b", 1, kNow));  // another address has its own
  int granted = 0;
  for (int ms = 0; ms < 10'000; ms += 10)
    granted += limit.take("a", 1, kNow + milliseconds(ms)) ? 1 : 0;
  EXPECT_NEAR(granted, 100, 1);
}

TEST(RateLimit, ADebtIsWaitedForAndBounded) {
  RateLimit limit;
  limit.set(10, 20);
  EXPECT_TRUE(limit.take("a", 1'000, kNow));
  EXPECT_FALSE(limit.take("a", 1, kNow + milliseconds(2'090)));  // 20 tokens below 0: 2.1 s
  EXPECT_TRUE(limit.take("a", 1, kNow + milliseconds(2'110)));
  EXPECT_TRUE(limit.take("b", 1'000, kNow));
  EXPECT_EQ(limit.retry_after("b"), 3U);
}

TEST(RateLimit, MemoryIsBounded) {
  RateLimit limit;
  limit.set(1, 2);
  for (int i = 0; i < 20'000; i++) limit.take(std::to_string(i), 1, kNow);
  EXPECT_EQ(limit.clients(), RateLimit::kMostClients);
  // The rest shares one bucket of 2 meanwhile; later there is room again.
  EXPECT_FALSE(limit.take("late", 1, kNow));
  EXPECT_TRUE(limit.take("late", 1, kNow + std::chrono::seconds(10)));
  EXPECT_EQ(limit.clients(), 1U);
}

TEST(RateLimit, AnIPv6HostIsItsNetwork) {
  const auto client = [](const char* text) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    inet_pton(AF_INET6, text, &address.sin6_addr);
    return client_of(reinterpret_cast<const sockaddr*>(&address));
  };
  EXPECT_EQ(client("2001:db8::1"), client("2001:db8::ffff:1"));
  EXPECT_NE(client("2001:db8::1"), client("2001:db8:0:1::1"));
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  inet_pton(AF_INET, "10.1.2.3", &v4.sin_addr);
  EXPECT_EQ(client("::ffff:10.1.2.3"), client_of(reinterpret_cast<const sockaddr*>(&v4)));
  EXPECT_EQ(client_of(nullptr), "");
}

TEST(Admission, AsksForATokenAndSaysHow) {
  Admission admission;
  admission.set(*Tokens::parse(kOld, "f"), 100, 100);
  EXPECT_FALSE(admission.refuse("a", "Bearer " + kOld, "/metrics", kNow));
  auto none = admission.refuse("a", "", "/metrics", kNow);
  ASSERT_TRUE(none);
  EXPECT_EQ(none->cause, Rejection::token);
  EXPECT_EQ(none->response.status, 401);
  EXPECT_EQ(header_of(none->response, "WWW-Authenticate"), "Bearer realm=\"nearzero\"");
  EXPECT_EQ(none->response.content_type, "application/problem+json");
  auto wrong = admission.refuse("a", "Bearer x", "/metrics", kNow);
  ASSERT_TRUE(wrong);
  EXPECT_EQ(header_of(wrong->response, "WWW-Authenticate"),
            "Bearer realm=\"nearzero\", error=\"invalid_token\"");
  admission.set(std::nullopt, 100, 100);
  EXPECT_FALSE(admission.refuse("a", "", "/metrics", kNow));
}

TEST(Admission, GuessesAreSlow) {
  Admission admission;
  admission.set(*Tokens::parse(kOld, "f"), 2000, 4000);
  int guesses = 0;
  int refused = 0;
  for (int ms = 0; ms < 10'000; ms++) {
    const auto answer = admission.refuse("a", "Bearer guess", "/", kNow + milliseconds(ms));
    ASSERT_TRUE(answer);
    if (answer->cause == Rejection::token) {
      guesses++;
    } else {
      EXPECT_EQ(answer->response.status, 429);
      EXPECT_EQ(header_of(answer->response, "Retry-After"), "1");
      refused++;
    }
  }
  EXPECT_NEAR(guesses, 40 + 20 * 10, 3);  // the burst, then 20 a second
  EXPECT_EQ(guesses + refused, 10'000);
  // Nobody else is held up.
  EXPECT_FALSE(admission.refuse("b", "Bearer " + kOld, "/", kNow));
}

// Socket pairs stand for connections: shutdown() on our end is what the client would see.
struct Pair {
  Fd ours, theirs;
  Pair() {
    int fds[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    ours.reset(fds[0]);
    theirs.reset(fds[1]);
  }
  [[nodiscard]] bool ended() const {
    char byte = 0;
    return recv(theirs.get(), &byte, 1, MSG_DONTWAIT) == 0;
  }
};

TEST(Connections, TheOldestSilentOneMakesRoom) {
  Connections connections({.all = 64, .of_one = 32, .deadline = std::chrono::hours(1)});
  std::vector<Pair> pairs(40);
  std::size_t ended = 0;
  const auto open = [&](std::size_t i, const char* client) {
    ended += connections.opened(&pairs[i], pairs[i].ours.get(), client,
                                kNow + milliseconds(static_cast<int>(i)));
  };
  for (std::size_t i = 0; i < 30; i++) open(i, "a");
  EXPECT_EQ(ended, 0U);
  connections.answering(&pairs[0]);  // has asked: it stays
  connections.answered(&pairs[0], kNow);
  open(30, "a");
  EXPECT_EQ(ended, 1U);
  EXPECT_FALSE(pairs[0].ended());
  EXPECT_TRUE(pairs[1].ended());
  EXPECT_FALSE(connections.closed(&pairs[1]));
  open(31, "b");  // not near any limit
  EXPECT_EQ(ended, 1U);
  EXPECT_TRUE(connections.closed(&pairs[0]));
  EXPECT_EQ(connections.size(), 30U);
  EXPECT_EQ(connections.client(&pairs[31]), "b");
}

TEST(Connections, AreHeldToTheDeadline) {
  Connections connections({.all = 10, .of_one = 10, .deadline = milliseconds(100)});
  Pair late;
  Pair asks;
  connections.opened(&late, late.ours.get(), "a", kNow);
  connections.opened(&asks, asks.ours.get(), "a", kNow);
  connections.answering(&asks);
  connections.answered(&asks, kNow + milliseconds(50));
  EXPECT_EQ(connections.sweep(kNow + milliseconds(99)), 0U);
  EXPECT_EQ(connections.sweep(kNow + milliseconds(100)), 1U);
  EXPECT_TRUE(late.ended());
  EXPECT_FALSE(asks.ended());
  EXPECT_EQ(connections.sweep(kNow + milliseconds(149)), 0U);
}

}  // namespace
}  // namespace nz::http
