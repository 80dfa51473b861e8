#include "userspace/http/secret_file.h"

#include <gtest/gtest.h>

namespace nz::http {
namespace {

TEST(SecretFile, SecretsGoInClearTextToThisHostAlone) {
  for (const char* url : {"http://127.0.0.1", "http://127.0.0.1:9093/api", "http://localhost:9093",
                          "http://[::1]:9093/x", "https://far.example", "https://10.0.0.1/x"})
    EXPECT_FALSE(can_be_overheard(url)) << url;
  for (const char* url :
       {"http://far.example", "http://127.0.0.1.far.example:9093", "http://",
        "http://10.0.0.1:9093/127.0.0.1", "http://[2001:db8::1]:9093",
        "http://localhost.far.example", "http://far.example?://localhost", "http://["})
    EXPECT_TRUE(can_be_overheard(url)) << url;
}

}  // namespace
}  // namespace nz::http
