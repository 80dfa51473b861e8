// The REST interface as routes of the server. configs/rest/openapi.yaml describes it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "userspace/http/message.h"
#include "userspace/rest/source.h"

namespace nz::rest {

struct Options {
  /// Origins whose pages may read the answers (CORS): exact, "https://desk.example". None: no page
  /// of another origin can, which is the default.
  std::vector<std::string> allowed_origins;
};

///   /performance/metrics, /trends, /bottlenecks, /profile, /reports, /reports/{id}
/// `source` must outlive the server that they are given to.
std::vector<http::Route> routes(const Source& source, Options options = {});

}  // namespace nz::rest
