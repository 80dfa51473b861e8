// The REST interface as routes of the server. configs/rest/openapi.yaml describes it.
#pragma once

#include <vector>

#include "userspace/http/message.h"
#include "userspace/rest/source.h"

namespace nz::rest {

///   /performance/metrics, /trends, /bottlenecks, /profile, /reports, /reports/{id}
/// `source` must outlive the server that they are given to.
std::vector<http::Route> routes(const Source& source);

}  // namespace nz::rest
