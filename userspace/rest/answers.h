// The endpoints as functions of a source and a request. They keep nothing but the reports.
#pragma once

#include "userspace/http/message.h"
#include "userspace/rest/report_store.h"
#include "userspace/rest/source.h"

namespace nz::rest {

/// GET /performance/metrics: what every series did in the last `window`.
http::Response metrics_answer(const Source& source, const View& view, const http::Request& request);
/// GET /performance/trends: series over time, step by step.
http::Response trends_answer(const Source& source, const View& view, const http::Request& request);
/// GET /performance/bottlenecks: findings, those that cost the order path most first.
http::Response bottlenecks_answer(const Source& source, const View& view,
                                  const http::Request& request);
/// GET /performance/profile: the hottest functions, or folded stacks as text.
http::Response profile_answer(const Source& source, const View& view, const http::Request& request);
/// GET and POST /performance/reports, GET /performance/reports/{id}.
http::Response reports_answer(const ReportStore& store, const View& view,
                              const http::Request& request);
http::Response report_answer(const ReportStore& store, const View& view,
                             const http::Request& request);
http::Response new_report_answer(ReportStore& store, const Source& source, const View& view,
                                 const http::Request& request);

/// 200 with this body, which is already JSON.
http::Response json_answer(std::string body);

}  // namespace nz::rest
