// The parameters of one request: each is read with what it may be; every mistake is collected, so
// that the caller learns of all at once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/http/message.h"

namespace nz::rest {

struct Range {
  double from = 0, to = 0;  ///< Unix seconds
};

/// Which part of a list: at most `limit` entries after the one that the cursor stands for.
struct PageRequest {
  std::size_t limit = 0;
  std::string cursor;
};

class Query {
 public:
  /// A parameter that is not `known` is a mistake, and so is one that is there twice without being
  /// `repeatable`. `now`: Unix seconds, for relative times.
  Query(const http::Request& request, std::vector<std::string> known, double now,
        std::vector<std::string> repeatable = {});

  [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  double seconds(std::string_view name, double otherwise, double least, double most);
  /// `from` and `to`; reversed and longer than 366 days are mistakes.
  Range range(double seconds_before_now);
  PageRequest page();
  /// Comma-separated words, each one of `known`; empty where the parameter is absent.
  std::vector<std::string> words(std::string_view name, const std::vector<std::string>& known);

  /// `remedy` names what to send instead.
  void mistake(std::string parameter, std::string detail, std::string remedy);
  /// The same for a name that should be one of `known`: names the nearest.
  void unknown(std::string parameter, const std::string& what, const std::string& given,
               const std::vector<std::string>& known);
  [[nodiscard]] bool ok() const { return mistakes_.empty(); }
  /// The 400 that tells all mistakes.
  [[nodiscard]] http::Response refusal() const;

 private:
  const http::Request& request_;
  const double now_;
  std::vector<http::ProblemError> mistakes_;
};

/// At most `most` of them, for a text: "a, b, c and 7 more".
std::string listed(const std::vector<std::string>& names, std::size_t most = 12);

}  // namespace nz::rest
