// The server's options, as the configuration gives them.
#pragma once

#include "userspace/config/config.h"
#include "userspace/http/server.h"

namespace nz::agent {

http::Options http_options(const config::Config& config);

}  // namespace nz::agent
