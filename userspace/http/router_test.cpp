#include "userspace/http/router.h"

#include <gtest/gtest.h>

namespace nz::http {
namespace {

Response told(const Request& request) {
  Response r;
  r.body = request.path;
  for (const auto& [name, value] : request.path_params) r.body += " " + name + "=" + value;
  return r;
}

Response answer(const std::string& path, const std::string& method = "GET") {
  const auto router = Router::make({{"GET", "/reports", told},
                                    {"POST", "/reports", told},
                                    {"GET", "/reports/{id}", told},
                                    {"GET", "/reports/latest", told},
                                    {"GET", "/a/{x}/b/{y}", told}});
  EXPECT_TRUE(router);
  Request request;
  request.method = method;
  request.path = path;
  return router->answer(request);
}

TEST(Router, BracesStandForOneSegment) {
  EXPECT_EQ(answer("/reports").body, "/reports");
  EXPECT_EQ(answer("/reports/7").body, "/reports/7 id=7");
  EXPECT_EQ(answer("/a/1/b/2").body, "/a/1/b/2 x=1 y=2");
  EXPECT_EQ(answer("/reports/latest").body, "/reports/latest") << "without braces comes first";
  EXPECT_EQ(answer("/reports/{id}").body, "/reports/{id} id={id}") << "not the route's own text";
  for (const char* path :
       {"/reports/", "/reports/7/", "/reports/7/8", "/a/1/c/2", "/a/1/b", "/a//b/2"})
    EXPECT_EQ(answer(path).status, 404) << path;
}

TEST(Router, MethodsOfATemplate) {
  const Response response = answer("/reports/7", "POST");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers[0].second, "GET, HEAD");
}

TEST(Router, TheSameTemplateTwiceIsRefused) {
  EXPECT_FALSE(Router::make({{"GET", "/{a}", told}, {"GET", "/{a}", told}}));
}

TEST(Problem, NamesEachMistake) {
  const Response response = problem(400, "Two are wrong.", "/x", {{"step", "is 0", "use 10s"}});
  EXPECT_NE(response.body.find("\"parameter\": \"step\""), std::string::npos);
  EXPECT_NE(response.body.find("\"remedy\": \"use 10s\""), std::string::npos);
  EXPECT_EQ(problem(400, "x", "/x").body.find("errors"), std::string::npos);
}

}  // namespace
}  // namespace nz::http
