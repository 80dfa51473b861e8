// Result<T>: what can fail and be recovered from returns one of these; exceptions stay inside the
// libraries that throw them. An Error always says what went wrong, where, and what to do about it.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace nz {

struct Error {
  std::string
      what;  ///< what went wrong and where, one line: "/etc/nearzero.yaml:12: unknown key 'stagse'"
  std::string remedy;  ///< what the reader can do about it, one line; may be empty
  int code = 0;        ///< errno where one applies, else 0

  /// Both lines as one text for a terminal or a log.
  [[nodiscard]] std::string text() const {
    return remedy.empty() ? what : what + " (" + remedy + ")";
  }
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(std::string what, std::string remedy = {}, int code = 0) {
  return tl::unexpected<Error>(Error{std::move(what), std::move(remedy), code});
}

/// Error from errno, prefixed with what was tried: "open /x: No such file or directory".
tl::unexpected<Error> fail_errno(const std::string& tried, int errnum, std::string remedy = {});

}  // namespace nz
