// Requests to the REST interface behind the server: the real routes over a source by hand, with
// any query parameters, report ids and bodies.
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "tests/fuzz/input.h"
#include "userspace/http/router.h"
#include "userspace/rest/fake_source.h"
#include "userspace/rest/routes.h"

namespace {

using namespace nz;

const rest::Source& source() {
  static const auto made = [] {
    auto fresh = std::make_unique<rest::testing::FakeSource>();
    fresh->change([](rest::View& view) {
      view.findings = {rest::testing::finding("cpu/a", analysis::Severity::critical, 0.5,
                                              rest::testing::kNow - 100)};
      view.details = std::make_shared<const analysis::Details>(rest::testing::details());
      view.unattached = {{"sqlite", "demo", "no symbols"}};
    });
    return fresh;
  }();
  return *made;
}

const http::Router& router() {
  static const auto made = http::Router::make(rest::routes(source()));
  fuzz::require(made.has_value(), "the routes make a router");
  return *made;
}

}  // namespace

// A byte for method and path, then pairs of lines up to an empty name, then the body of a POST.
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr std::array<const char*, 6> kPaths = {"metrics", "trends",  "bottlenecks",
                                                 "profile", "reports", "reports/"};
  constexpr std::size_t kMostParameters = 64;
  fuzz::Input input(data, size);
  const std::size_t choice = input.byte();
  http::Request request;
  request.method = choice / kPaths.size() % 2 == 1 ? "POST" : "GET";
  request.path = std::string("/performance/") + kPaths[choice % kPaths.size()];
  if (request.path.ends_with('/')) request.path += input.line();
  while (!input.empty() && request.query_params.size() < kMostParameters) {
    std::string name = input.line();
    if (name.empty()) break;
    std::string value = input.line();
    request.query_params.emplace_back(std::move(name), std::move(value));
  }
  if (request.method == "POST") {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = input.rest().substr(0, http::kMostBodyBytes);  // more never reaches a route
  }
  const http::Response response = router().answer(request);
  fuzz::require(response.status < 500, "no request makes the interface fail");
  if (response.content_type.ends_with("json"))
    fuzz::require(nlohmann::json::accept(response.text()), "what says that it is JSON is JSON");
  return 0;
}
