// What a report says of a range, from what the interface reads.
#pragma once

#include <memory>
#include <string>

#include "userspace/report/document/document.h"
#include "userspace/report/gather.h"
#include "userspace/rest/query.h"
#include "userspace/rest/source.h"

namespace nz::rest {

/// `title` may be empty.
report::Document report_document(const Source& source, const View& view, const std::string& title,
                                 const Range& range, const report::Compare& compare);

}  // namespace nz::rest
