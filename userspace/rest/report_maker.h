// A report of a range, with its figures and what it says, from what the interface reads.
#pragma once

#include <memory>
#include <string>

#include "userspace/report/gather.h"
#include "userspace/rest/query.h"
#include "userspace/rest/report_store.h"
#include "userspace/rest/source.h"

namespace nz::rest {

/// `title` may be empty. Of any thread. `to` is not later than `from` where history has no two
/// points in the range.
std::shared_ptr<const Report> compose_report(const Source& source, const View& view, std::string id,
                                             std::string title, const Range& range,
                                             const report::Compare& compare);

}  // namespace nz::rest
