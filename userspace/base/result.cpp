#include "userspace/base/result.h"

#include <cstring>

namespace nz {

tl::unexpected<Error> fail_errno(const std::string& tried, int errnum, std::string remedy) {
  // strerrordesc_np is the thread-safe form of strerror (glibc >= 2.32).
  const char* text = strerrordesc_np(errnum);
  return fail(tried + ": " + (text != nullptr ? text : "unknown error"), std::move(remedy), errnum);
}

}  // namespace nz
