#include "userspace/report/document/escape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "userspace/export/utf8.h"

namespace nz::report {
namespace {

struct Character {
  char32_t code;
  std::size_t bytes;
};

// Of valid UTF-8.
Character first(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char c = byte(0);
  if (c < 0x80) return {c, 1};
  const std::size_t bytes = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
  char32_t code = c & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; i++) code = (code << 6U) | (byte(i) & 0x3FU);
  return {code, bytes};
}

// No width, or another direction for what follows (Unicode Cf, and some fillers that look like
// nothing). Such characters make a text look like another one.
bool hidden(char32_t c) {
  return (c >= 0x80 && c < 0xA0) || c == 0xAD || c == 0x34F || c == 0x61C ||
         (c >= 0x115F && c <= 0x1160) || (c >= 0x17B4 && c <= 0x17B5) ||
         (c >= 0x180B && c <= 0x180F) || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0x3164 ||
         (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF || c == 0xFFA0 ||
         (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF);
}

void append_picture(std::string& out, unsigned char control) {
  const char32_t code = control == 0x7F ? 0x2421 : 0x2400 + control;
  out += static_cast<char>(0xE0U | (code >> 12U));
  out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
  out += static_cast<char>(0x80U | (code & 0x3FU));
}

std::size_t longest_run(std::string_view text, char c) {
  std::size_t longest = 0, run = 0;
  for (const char x : text) {
    run = x == c ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

// Whether the character at `i` would be read as markup.
bool is_markdown(std::string_view text, std::size_t i) {
  const char c = text[i];
  const std::string_view rest = text.substr(i);
  const auto any_of = [c](std::string_view all) { return all.find(c) != std::string_view::npos; };
  if (any_of("\\`*_[]|~@")) return true;
  // A line must not begin a heading, a list or a rule ...
  if (i == 0 && any_of("#+-=") && (rest.size() == 1 || rest[1] == ' ' || rest[1] == c)) return true;
  // ... nor a numbered list, and what looks like an address is not to become a link.
  const std::string_view before = text.substr(0, i);
  const bool number =
      !before.empty() && before.find_first_not_of("0123456789") == std::string::npos;
  if (number && any_of(".)") && (rest.size() == 1 || rest[1] == ' ')) return true;
  return rest.starts_with("://") ||
         (c == '.' && rest.size() > 1 && (before.ends_with("www") || before.ends_with("WWW")));
}

}  // namespace

std::string visible(std::string_view text, bool lines) {
  std::string out;
  std::size_t begin = 0;
  const auto append = [&](std::string_view part) {
    const std::string valid = exposition::valid_utf8(part);
    std::string_view rest = valid;
    while (!rest.empty()) {
      const Character c = first(rest);
      if (lines && (c.code == '\n' || c.code == '\t')) {
        out += static_cast<char>(c.code);
      } else if (c.code < 0x20 || c.code == 0x7F) {
        append_picture(out, static_cast<unsigned char>(c.code));
      } else if (hidden(c.code)) {
        out += fmt::format("<U+{:04X}>", static_cast<std::uint32_t>(c.code));
      } else {
        out += rest.substr(0, c.bytes);
      }
      rest.remove_prefix(c.bytes);
    }
  };
  // valid_utf8() makes U+FFFD of a NUL, which has a picture here.
  for (std::size_t nul = 0; (nul = text.find('\0', begin)) != std::string_view::npos;
       begin = nul + 1) {
    append(text.substr(begin, nul - begin));
    append_picture(out, 0);
  }
  append(text.substr(begin));
  return out;
}

std::string html_text(std::string_view text, bool lines) {
  std::string out;
  for (const char c : visible(text, lines)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string markdown_text(std::string_view text) {
  const std::string shown = visible(text);
  std::string out;
  for (std::size_t i = 0; i < shown.size(); i++) {
    const char c = shown[i];
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      if (is_markdown(shown, i)) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string markdown_code(std::string_view text, bool in_table) {
  std::string shown = visible(text, true);
  for (char& c : shown) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  if (shown.empty()) return "";
  // The reader of a table takes the first backslash of a pair for the mark of the second, and the
  // bar for the end of the cell; inside a code span there is no other way to write it.
  if (in_table && shown.find("\\|") != std::string::npos) return markdown_text(shown);
  const std::string fence(longest_run(shown, '`') + 1, '`');
  // Blanks at both ends keep a backtick from joining the fence; the reader takes one of each off.
  const bool pad =
      shown.front() == '`' || shown.back() == '`' || (shown.front() == ' ' && shown.back() == ' ');
  std::string inside;
  for (const char c : shown) {
    if (c == '|' && in_table) inside += '\\';
    inside += c;
  }
  return fence + (pad ? " " : "") + inside + (pad ? " " : "") + fence;
}

std::string markdown_block(std::string_view text) {
  const std::string shown = visible(text, true);
  const std::string fence(std::max<std::size_t>(3, longest_run(shown, '`') + 1), '`');
  return fence + "\n" + shown + (shown.ends_with('\n') ? "" : "\n") + fence + "\n";
}

}  // namespace nz::report
