// A report: what happened to the services of a host in a range of time, what it cost, what to do.
#pragma once

#include "userspace/report/document/document.h"
#include "userspace/report/input.h"

namespace nz::report {

/// Pure: the same for the same input. Bounded whatever the input: the most important entries of
/// each kind, with the number of those that are left out.
Document make_report(const Input& input);

}  // namespace nz::report
