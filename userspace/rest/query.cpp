#include "userspace/rest/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "userspace/config/nearest_key.h"
#include "userspace/rest/page.h"
#include "userspace/rest/time.h"

namespace nz::rest {
namespace {

constexpr std::size_t kDefaultLimit = 500, kMostLimit = 5000;
constexpr double kLongestRange = 366 * 86400.0;
constexpr const char* kTimes =
    "use RFC 3339 (2026-11-27T09:00:00Z), Unix seconds, or a time before now (-15m)";

bool contains(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

std::string listed(const std::vector<std::string>& names, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); i++) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > most) text += fmt::format(" and {} more", names.size() - most);
  return text.empty() ? "none" : text;
}

Query::Query(const http::Request& request, std::vector<std::string> known, double now,
             std::vector<std::string> repeatable)
    : request_(request), now_(now) {
  std::vector<std::string> seen;
  for (const auto& [name, value] : request.query_params) {
    if (!contains(known, name)) {
      unknown(name, "parameter", name, known);
    } else if (contains(seen, name) && !contains(repeatable, name)) {
      mistake(name, "it is there more than once", "give it once");
    }
    seen.push_back(name);
  }
}

std::optional<std::string> Query::text(std::string_view name) const {
  const auto value = request_.query(name);
  return value ? std::optional(std::string(*value)) : std::nullopt;
}

std::vector<std::string> Query::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : request_.query_params) {
    if (key == name) values.push_back(value);
  }
  return values;
}

double Query::seconds(std::string_view name, double otherwise, double least, double most) {
  const auto given = text(name);
  if (!given) return otherwise;
  const auto seconds = parse_seconds(*given);
  if (!seconds) {
    mistake(std::string(name), "'" + *given + "' is not a duration",
            "use for example 30s, 5m or 1h");
  } else if (*seconds < least || *seconds > most) {
    mistake(std::string(name), fmt::format("{} s is out of bounds", *seconds),
            fmt::format("give {} s to {} s", least, most));
  } else {
    return *seconds;
  }
  return otherwise;
}

Range Query::range(double seconds_before_now) {
  Range range{now_ - seconds_before_now, now_};
  for (const auto& [name, end] : {std::pair{"from", &range.from}, std::pair{"to", &range.to}}) {
    const auto given = text(name);
    if (!given) continue;
    const auto time = parse_time(*given, now_);
    if (!time) mistake(name, "'" + *given + "' is not a time", kTimes);
    if (time) *end = *time;
  }
  if (text("to") && !text("from")) range.from = range.to - seconds_before_now;
  if (!ok()) return range;
  if (!(range.from < range.to)) {
    mistake("from",
            fmt::format("it is not before `to`: {} and {}", format_time(range.from),
                        format_time(range.to)),
            "exchange them, or give an earlier `from`");
  } else if (range.to - range.from > kLongestRange) {
    mistake("from", "the range is longer than 366 days", "ask for less");
  }
  return range;
}

PageRequest Query::page() {
  PageRequest page{kDefaultLimit, text("cursor").value_or("")};
  if (const auto given = text("limit")) {
    std::size_t n = 0;
    const char* end = given->data() + given->size();
    const auto [stop, error] = std::from_chars(given->data(), end, n);
    if (error != std::errc{} || stop != end || n < 1 || n > kMostLimit) {
      mistake("limit", "'" + *given + "' is not a whole number in bounds",
              fmt::format("give 1 to {}", kMostLimit));
    } else {
      page.limit = n;
    }
  }
  if (!page.cursor.empty() && !is_cursor(page.cursor)) {
    mistake("cursor", "no answer has given this", "send back `next_cursor` as it came");
  }
  return page;
}

std::vector<std::string> Query::words(std::string_view name,
                                      const std::vector<std::string>& known) {
  std::vector<std::string> result;
  const auto given = text(name);
  if (!given) return result;
  for (std::size_t at = 0; at <= given->size();) {
    const std::size_t end = std::min(given->find(',', at), given->size());
    std::string word = given->substr(at, end - at);
    if (!contains(known, word)) unknown(std::string(name), std::string(name), word, known);
    result.push_back(std::move(word));
    at = end + 1;
  }
  return result;
}

void Query::mistake(std::string parameter, std::string detail, std::string remedy) {
  constexpr std::size_t kMost = 20;  // of a query with a thousand wrong parameters
  if (mistakes_.size() < kMost)
    mistakes_.push_back({std::move(parameter), std::move(detail), std::move(remedy)});
}

void Query::unknown(std::string parameter, const std::string& what, const std::string& given,
                    const std::vector<std::string>& known) {
  const std::string nearest = config::nearest_key(given, known);
  mistake(std::move(parameter), "unknown " + what + " '" + given.substr(0, 100) + "'",
          nearest.empty() ? "known: " + listed(known) : "did you mean '" + nearest + "'?");
}

http::Response Query::refusal() const {
  std::string detail;
  for (const http::ProblemError& m : mistakes_) {
    detail += (detail.empty() ? "" : "; ") + m.parameter + ": " + m.detail + " (" + m.remedy + ")";
  }
  return http::problem(400, detail, request_.path, mistakes_);
}

}  // namespace nz::rest
