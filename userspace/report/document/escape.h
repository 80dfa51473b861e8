// Makes any bytes safe to show. Texts of other processes can hold anything: markup, control
// characters, characters that turn the direction of what follows or have no width, broken UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace nz::report {

/// Valid UTF-8 in which everything can be seen: bytes that are none become U+FFFD, control
/// characters their pictures (U+2400 and on; line feeds and tabs stay where `lines`), and
/// characters that have no width or turn the direction of text are spelled out: <U+202E>.
std::string visible(std::string_view text, bool lines = false);

/// visible(), with & < > " ' as character references: for HTML and SVG, elements and attributes.
std::string html_text(std::string_view text, bool lines = false);

/// visible(), with what Markdown (CommonMark with tables, GitHub's) reads as markup escaped.
std::string markdown_text(std::string_view text);

/// A code span with a fence that the text does not contain; line feeds become blanks. For tables
/// too: a bar is escaped where `in_table`, and a text with a backslash before a bar is no code.
std::string markdown_code(std::string_view text, bool in_table = false);

/// A fenced block with a fence that the text does not contain.
std::string markdown_block(std::string_view text);

}  // namespace nz::report
