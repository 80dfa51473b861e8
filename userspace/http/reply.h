// From a handler's response to libmicrohttpd's: gzip and the headers that each response has.
#pragma once

#include <microhttpd.h>

#include <cstddef>
#include <memory>

#include "userspace/http/message.h"

namespace nz::http {

struct ResponseDestroy {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};

struct Reply {
  std::unique_ptr<MHD_Response, ResponseDestroy> response;  ///< null: out of memory
  std::size_t body_bytes = 0;                               ///< as sent, after gzip
};

/// Compresses bodies of more than `gzip_from_bytes` where `gzip_allowed`, and adds the security
/// headers (nosniff, no-store, a content security policy) that the handler did not set itself.
Reply make_reply(Response response, bool gzip_allowed, std::size_t gzip_from_bytes);

}  // namespace nz::http
