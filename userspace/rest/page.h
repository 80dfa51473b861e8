// Long lists in parts. A cursor stands for the last entry that was given, by a hash of its key and
// by its place, should it be gone by then: a list that changes in between loses at most what moved.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/rest/query.h"

namespace nz::rest {

/// FNV-1a, for cursors and entity tags.
std::uint64_t hash_of(std::string_view text);

bool is_cursor(std::string_view text);

struct Page {
  std::size_t begin = 0, end = 0;  ///< places in the list
  std::size_t total = 0;
  std::size_t limit = 0;
  std::string next_cursor;  ///< empty: this is the last one
};

/// `keys`: of every entry, in the order of the list.
Page page_of(const std::vector<std::string>& keys, const PageRequest& request);

nlohmann::ordered_json to_json(const Page& page);

}  // namespace nz::rest
