// The REST interface as routes of the server. configs/rest/openapi.yaml describes it.
#pragma once

#include <memory>
#include <vector>

#include "userspace/http/message.h"
#include "userspace/rest/report_store.h"
#include "userspace/rest/source.h"

namespace nz::rest {

///   /performance/metrics, /trends, /bottlenecks, /profile, /reports, /reports/{id}
/// `source` must outlive the server that they are given to.
/// `reports`: where those that are made are kept, shared with whoever makes some besides; null: a
/// store of its own.
std::vector<http::Route> routes(const Source& source,
                                std::shared_ptr<ReportStore> reports = nullptr);

}  // namespace nz::rest
