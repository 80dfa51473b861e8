// What the agent answers over HTTP. Handlers only read the last snapshot.
#pragma once

#include <memory>
#include <vector>

#include "userspace/agent/snapshot.h"
#include "userspace/http/message.h"

namespace nz::agent {

///   /metrics    text format, or protobuf with native histograms when the scraper asks for it
///   /healthz    200 "ok" or "off", 503 "degraded"; JSON with every probe and reason
///   /readyz     200 after the first drain, 503 before
///   /live.json  histograms with their buckets and counters, for `nearzero top`
std::vector<http::Route> routes(const std::shared_ptr<SnapshotBox>& snapshots);

}  // namespace nz::agent
