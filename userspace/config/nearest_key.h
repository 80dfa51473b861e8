// "did you mean": the known key nearest to a misspelt one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nz::config {

/// Edits (insert, delete, replace, swap of neighbours) that turn one into the other: optimal string
/// alignment distance (Damerau 1964). Case does not count.
unsigned edit_distance(std::string_view a, std::string_view b);

/// The nearest of `known`, or "" where none is nearer than about a third of the word.
std::string nearest_key(std::string_view word, const std::vector<std::string>& known);

}  // namespace nz::config
