// A validator says "Value type not permitted by 'type' constraint". This says what is wrong at one
// place, what it should be, and gives an example, from the schema's own words.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "userspace/config/problems.h"

namespace nz::config {

class Schema;

/// Reports every keyword of `rule` (a resolved node of `schema`) that `value` violates at this
/// place itself, not inside it. Returns how many were found.
int explain(const Schema& schema, const std::string& pointer, const nlohmann::json& rule,
            const nlohmann::json& value, const Locate& locate, Problems& problems);

/// A JSON value in words: "the text 'abc'", "the number 5", "a list", "nothing".
std::string in_words(const nlohmann::json& value);

}  // namespace nz::config
