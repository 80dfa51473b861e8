// The style sheet of a report's page.
#pragma once

namespace nz::report {

extern const char* const kStyle;

}  // namespace nz::report
