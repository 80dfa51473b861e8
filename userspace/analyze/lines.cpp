#include "userspace/analyze/lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "userspace/base/trimmed.h"

namespace nz::analyze {
namespace {

constexpr std::size_t kReadAtOnce = std::size_t{256} << 10;

struct Magic {
  std::string_view bytes;
  const char* what;
  const char* remedy;
};
constexpr std::array<Magic, 6> kNoText{{
    {"\x1f\x8b", "is compressed", "zcat FILE | nearzero analyze ... -"},
    {"\x28\xb5\x2f\xfd", "is compressed", "zstdcat FILE | nearzero analyze ... -"},
    {"PAR1", "is a Parquet file", "write it as CSV: timestamp,value"},
    {"PK\x03\x04", "is a zip archive or a spreadsheet", "write it as CSV: timestamp,value"},
    {"\xff\xfe", "is UTF-16", "iconv -f UTF-16 -t UTF-8 FILE | nearzero analyze ... -"},
    {"\xfe\xff", "is UTF-16", "iconv -f UTF-16 -t UTF-8 FILE | nearzero analyze ... -"},
}};

}  // namespace

std::string Lines::where() const { return fmt::format("{}:{}", name_, line_); }

Result<bool> Lines::fill() {
  if (end_of_file_) return false;
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  const std::size_t had = buffer_.size();
  buffer_.resize(had + kReadAtOnce);
  const std::size_t got = std::fread(buffer_.data() + had, 1, kReadAtOnce, file_);
  buffer_.resize(had + got);
  if (std::ferror(file_) != 0) return fail_errno("read " + name_, errno);
  if (std::memchr(buffer_.data() + had, '\0', got) != nullptr && !first_)
    return fail(fmt::format("{} is no text: it has bytes of zero after line {}", name_, line_),
                "CSV is expected: timestamp,value");
  end_of_file_ = got == 0;
  return got > 0;
}

Result<void> Lines::check_beginning() {
  first_ = false;
  for (const Magic& magic : kNoText) {
    if (buffer_.starts_with(magic.bytes)) return fail(name_ + " " + magic.what, magic.remedy);
  }
  if (buffer_.find('\0') != std::string::npos)
    return fail(name_ + " is no text: it has bytes of zero", "CSV is expected: timestamp,value");
  if (buffer_.starts_with("\xef\xbb\xbf")) begin_ = 3;  // a byte order mark
  return {};
}

// Moves `end` to the next line end, which may be that of the file; false: there was none left.
Result<bool> Lines::extend(std::size_t& end) {
  for (;;) {
    const std::size_t found = buffer_.find('\n', end);
    if (found != std::string::npos) {
      end = found;
      return true;
    }
    if (buffer_.size() - begin_ > kMost)
      return fail(
          fmt::format("{}:{}: longer than {} bytes without an end", name_, next_line_, kMost),
          "is this a table, and does each quote that opens a cell close it?");
    const std::size_t into = end - begin_;
    auto more = fill();
    if (!more) return more;
    end = begin_ + into;
    if (!*more) {
      end = buffer_.size();
      return end > begin_ + into;
    }
  }
}

Result<bool> Lines::next(std::string_view& record) {
  if (first_) {
    if (auto filled = fill(); !filled) return filled;
    if (auto text = check_beginning(); !text) return tl::unexpected(text.error());
  }
  for (;;) {
    std::size_t end = begin_;
    line_ = next_line_;
    std::size_t lines = 0;
    std::size_t quotes = 0;
    do {
      const std::size_t from = end - begin_;
      auto found = extend(end);
      if (!found) return found;
      if (!*found && end == begin_) return false;
      if (!*found)
        return fail(fmt::format("{}:{}: a quote opens here and never closes", name_, line_),
                    "close it, or write it twice where it belongs to the text");
      const auto begin = buffer_.begin() + static_cast<std::ptrdiff_t>(begin_ + from);
      quotes += static_cast<std::size_t>(
          std::count(begin, buffer_.begin() + static_cast<std::ptrdiff_t>(end), '"'));
      lines++;
      if (quotes % 2 == 1 && end < buffer_.size()) end++;
    } while (quotes % 2 == 1);
    std::string_view text(buffer_.data() + begin_, end - begin_);
    next_line_ += lines;
    bytes_ += text.size() + 1;
    begin_ = std::min(end + 1, buffer_.size());
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (trimmed(text, " \t").empty()) continue;
    record = text;
    return true;
  }
}

void split(std::string_view record, char delimiter, std::vector<std::string_view>& cells,
           std::deque<std::string>& scratch) {
  cells.clear();
  scratch.clear();
  // A delimiter is no blank, also where it is a tab.
  const std::string_view blanks = delimiter == '\t' ? " " : delimiter == ' ' ? "\t" : " \t";
  for (;;) {
    const std::string_view rest = trimmed(record, blanks);
    if (!rest.starts_with('"')) {
      const std::size_t end = record.find(delimiter);
      cells.push_back(trimmed(record.substr(0, end), blanks));
      if (end == std::string_view::npos) return;
      record.remove_prefix(end + 1);
      continue;
    }
    std::string& cell = scratch.emplace_back();
    std::size_t at = record.find('"') + 1;
    for (; at < record.size(); at++) {
      if (record[at] == '"') {
        if (at + 1 >= record.size() || record[at + 1] != '"') break;
        at++;  // written twice
      }
      cell += record[at];
    }
    cells.push_back(cell);
    const std::size_t end = record.find(delimiter, std::min(at + 1, record.size()));
    if (end == std::string_view::npos) return;
    record.remove_prefix(end + 1);
  }
}

char guess_delimiter(std::string_view record) {
  char best = ',';
  std::ptrdiff_t most = 0;
  for (const char delimiter : {',', ';', '\t', '|'}) {
    const auto n = std::count(record.begin(), record.end(), delimiter);
    if (n > most) {
      most = n;
      best = delimiter;
    }
  }
  return best;
}

}  // namespace nz::analyze
