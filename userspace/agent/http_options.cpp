#include "userspace/agent/http_options.h"

namespace nz::agent {

http::Options http_options(const config::Config& config) {
  http::Options options;
  options.listen = config.listen;
  options.protection.certificate = config.http.tls_certificate;
  options.protection.key = config.http.tls_key;
  options.protection.token_file = config.http.token_file;
  options.protection.requests_per_second = config.http.rate_limit;
  options.protection.request_burst = config.http.rate_burst;
  options.protection.cors_origins = config.http.cors_origins;
  return options;
}

}  // namespace nz::agent
