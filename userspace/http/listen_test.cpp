#include "userspace/http/listen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nz::http {
namespace {

using ::testing::HasSubstr;

TEST(ListenAddress, LoopbackIsAccepted) {
  for (const char* text : {"127.0.0.1:9718", "127.1.2.3:0", "localhost:9718", "[::1]:65535"}) {
    EXPECT_TRUE(parse_listen_address(text)) << text;
  }
}

TEST(ListenAddress, WhatOtherHostsReachIsRefused) {
  for (const char* text : {"0.0.0.0:9718", "10.0.0.1:9718", ":9718", "*:9718", "[::]:9718",
                           "[2001:db8::1]:9718", "[::ffff:10.0.0.1]:9718"}) {
    const auto address = parse_listen_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_THAT(address.error().what, HasSubstr(text));
    EXPECT_THAT(address.error().what, HasSubstr("TLS"));
    EXPECT_THAT(address.error().remedy, HasSubstr("127.0.0.1"));
    for (const char* key : {"http.tls.certificate", "http.tls.key", "http.token_file"}) {
      EXPECT_THAT(address.error().remedy, HasSubstr(key));
    }
  }
}

TEST(ListenAddress, WhatOtherHostsReachIsAcceptedWhereProtected) {
  for (const char* text : {"0.0.0.0:9718", "10.0.0.1:0", "[::]:9718", "[2001:db8::1]:9718"}) {
    EXPECT_TRUE(parse_listen_address(text, Reach::other_hosts)) << text;
  }
  for (const char* text : {":9718", "*:9718", "example.com:9718"}) {
    EXPECT_FALSE(parse_listen_address(text, Reach::other_hosts)) << text;
  }
}

TEST(ListenAddress, NonsenseIsExplained) {
  for (const char* text :
       {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:70000", "127.0.0.1:-1",
        "127.0.0.1:80 ", "example.com:80", "[:1", "[]:80", "::1:9718", "[nonsense]:80"}) {
    const auto address = parse_listen_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_THAT(address.error().what, HasSubstr("'" + std::string(text) + "'"));
    EXPECT_THAT(address.error().remedy, HasSubstr("127.0.0.1:9718")) << text;
  }
}

TEST(Listen, FreePortIsReported) {
  const auto listener = listen_on("127.0.0.1:0");
  ASSERT_TRUE(listener);
  EXPECT_NE(listener->port, 0);
}

}  // namespace
}  // namespace nz::http
