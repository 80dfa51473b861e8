// The digest of a statement as people see it: one text and one number for all statements that
// differ in literals, list lengths, comments, white space and the case of keywords alone.
#pragma once

#include <string>
#include <string_view>

namespace nz::analysis {

/// Literals and variables become ?, IN (?, ?, ?) becomes IN (?), of the rows of VALUES the first
/// is kept, comments go, keywords are in capitals, tokens are spaced in one way, a semicolon at the
/// end goes. Names keep their case and quotes. A list or a
/// literal that is cut off at the text's end counts as one. Never longer than twice the text.
std::string display_sql(std::string_view sql);

/// Sixteen hexadecimal digits of FNV-1a over display_sql(): the same on every host, for every
/// target.
std::string digest_of_display(std::string_view display);

}  // namespace nz::analysis
