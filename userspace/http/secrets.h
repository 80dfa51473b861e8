// What protects the interface, read from its files.
#pragma once

#include <memory>
#include <optional>

#include "userspace/base/result.h"
#include "userspace/http/listen.h"
#include "userspace/http/server.h"
#include "userspace/http/tls.h"
#include "userspace/http/tokens.h"

namespace nz::http {

struct Secrets {
  std::shared_ptr<const Certificate> certificate;  ///< null: plain HTTP
  std::optional<Tokens> tokens;                    ///< none: nobody is asked
};

/// Reads the files. Errors: those of Certificate::load() and Tokens::load(), and one of certificate
/// and key without the other.
Result<Secrets> load_secrets(const Protection& protection);

/// Other hosts may reach what has both TLS and tokens.
Reach reach_of(const Secrets& secrets);

}  // namespace nz::http
