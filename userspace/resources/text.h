// The kernel's text files, taken apart without copies: lines, words, numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nz::resources {

/// Whole lines only: what follows the last line feed was cut off by someone and means nothing.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}
  /// The next line without its line feed; nothing at the end.
  std::optional<std::string_view> next();
  /// After the last line: the text did not end with a line feed.
  [[nodiscard]] bool torn() const { return !rest_.empty(); }

 private:
  std::string_view rest_;
};

/// A whole text as a number: digits only, no sign, no blank, within 64 bits.
std::optional<uint64_t> number_of(std::string_view text);

/// Words between blanks and tabs.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}
  /// Empty at the end of the line.
  std::string_view next();
  /// The next word as number_of() reads it.
  std::optional<uint64_t> number() { return number_of(next()); }
  /// Leaves out `n` words.
  Words& skip(int n);
  /// What has not been read, with the blanks before it.
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

/// The number behind `key` in lines of "key number": cpu.stat, vmstat. Nothing where there is none.
std::optional<uint64_t> value_of(std::string_view text, std::string_view key);

}  // namespace nz::resources
