// What we parse of a request ourselves: headers, query parameters, and the address to listen on.
#include "tests/fuzz/input.h"
#include "userspace/export/exposition.h"
#include "userspace/http/compression.h"
#include "userspace/http/listen.h"
#include "userspace/http/message.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace nz;
  fuzz::Input input(data, size);
  const std::string accept = input.line();
  const std::string encoding = input.line();
  const std::string address = input.line();
  static_cast<void>(exposition::negotiate(accept));
  static_cast<void>(http::accepts_gzip(encoding));
  static_cast<void>(http::parse_listen_address(address));
  http::Request request;
  while (!input.empty()) {
    std::string key = input.line();
    std::string value = input.line();
    request.query_params.emplace_back(key, value);
    request.headers.emplace_back(std::move(key), std::move(value));
  }
  static_cast<void>(request.query("window"));
  static_cast<void>(request.header("Accept"));
  const http::Response problem = http::problem(400, accept, encoding);
  fuzz::require(problem.body.ends_with("}\n"), "a problem is an object, whatever it names");
  return 0;
}
