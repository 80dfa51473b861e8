#include "userspace/rest/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace nz::rest {
namespace {

// "<place>-<hash in hexadecimal>"
std::optional<std::pair<std::size_t, std::uint64_t>> parse_cursor(std::string_view text) {
  std::size_t place = 0;
  std::uint64_t hash = 0;
  const char* end = text.data() + text.size();
  const auto [dash, error] = std::from_chars(text.data(), end, place);
  if (error != std::errc{} || dash == end || *dash != '-') return std::nullopt;
  const auto [stop, bad] = std::from_chars(dash + 1, end, hash, 16);
  if (bad != std::errc{} || stop != end) return std::nullopt;
  return std::pair{place, hash};
}

}  // namespace

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

bool is_cursor(std::string_view text) { return parse_cursor(text).has_value(); }

Page page_of(const std::vector<std::string>& keys, const PageRequest& request) {
  Page page;
  page.total = keys.size();
  page.limit = request.limit;
  if (const auto cursor = parse_cursor(request.cursor)) {
    const auto last = std::find_if(keys.begin(), keys.end(), [&](const std::string& key) {
      return hash_of(key) == cursor->second;
    });
    page.begin = last != keys.end() ? static_cast<std::size_t>(last - keys.begin()) + 1
                                    : std::min(cursor->first, keys.size());
  }
  page.end = page.begin + std::min(request.limit, keys.size() - page.begin);
  if (page.end < keys.size()) {
    page.next_cursor = fmt::format("{}-{:016x}", page.end, hash_of(keys[page.end - 1]));
  }
  return page;
}

nlohmann::ordered_json to_json(const Page& page) {
  nlohmann::ordered_json j{{"limit", page.limit}, {"total", page.total}};
  j["next_cursor"] = page.next_cursor.empty() ? nlohmann::ordered_json()
                                              : nlohmann::ordered_json(page.next_cursor);
  return j;
}

}  // namespace nz::rest
