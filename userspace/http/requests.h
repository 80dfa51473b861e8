// A request as libmicrohttpd hands it over, piece by piece, until its answer is queued. Only for
// the server's own thread.
#pragma once

#include <microhttpd.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "userspace/http/admission.h"
#include "userspace/http/connections.h"
#include "userspace/http/counters.h"
#include "userspace/http/gate.h"
#include "userspace/http/message.h"
#include "userspace/http/router.h"
#include "userspace/http/server.h"

namespace nz::http {

class Requests {
 public:
  /// The others must outlive it.
  Requests(const Options& options, Router router, Gate& gate, Connections& connections,
           Counters& counters)
      : options_(options),
        router_(std::move(router)),
        gate_(gate),
        connections_(connections),
        counters_(counters) {}
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;

  /// Called once when the headers are in, once for each piece of a body, once at its end. MHD_NO
  /// closes the connection. `upload` keeps what has come so far, until end().
  MHD_Result advance(MHD_Connection* connection, const char* url, const char* method,
                     const char* upload_data, std::size_t* upload_size, void** upload);
  static void end(void** upload);

 private:
  std::optional<Admission::Refusal> refuse(MHD_Connection* connection, const char* url,
                                           const char* method);
  [[nodiscard]] bool is_preflight(MHD_Connection* connection, const char* method) const;
  /// What is at the path, or, to a browser that asks first, what may be asked there.
  [[nodiscard]] Response answer(MHD_Connection* connection, const Request& request) const;
  MHD_Result send(MHD_Connection* connection, Response response, bool gzip_allowed);

  const Options& options_;
  const Router router_;
  Gate& gate_;
  Connections& connections_;
  Counters& counters_;
};

}  // namespace nz::http
