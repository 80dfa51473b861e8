#include "userspace/store/openmetrics_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include "userspace/export/utf8.h"
#include "userspace/store/schema.h"

namespace nz::store {
namespace {

constexpr const char* kForm = "a sample is name{label=\"value\"} number seconds";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string shown(std::string_view text) {
  return exposition::valid_utf8(text.substr(0, 60)) + (text.size() > 60 ? "..." : "");
}

std::optional<OpenMetricsKind> kind_of(std::string_view word) {
  using Kind = OpenMetricsKind;
  constexpr std::array<std::pair<std::string_view, Kind>, 9> kWords{
      {{"unknown", Kind::unknown},
       {"untyped", Kind::unknown},
       {"counter", Kind::counter},
       {"gauge", Kind::gauge},
       {"histogram", Kind::histogram},
       {"gaugehistogram", Kind::gaugehistogram},
       {"summary", Kind::summary},
       {"info", Kind::info},
       {"stateset", Kind::stateset}}};
  for (const auto& [known, kind] : kWords) {
    if (word == known) return kind;
  }
  return std::nullopt;
}

class Line {
 public:
  explicit Line(std::string_view text) : text_(text) {}

  Result<OpenMetricsLine> read() {
    if (text_.ends_with('\r')) text_.remove_suffix(1);
    skip_blanks();
    if (ended()) return OpenMetricsLine(OpenMetricsRemark{});
    return peek() == '#' ? remark() : sample();
  }

 private:
  [[nodiscard]] bool ended() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return ended() ? '\0' : text_[at_]; }
  void skip_blanks() {
    while (!ended() && is_blank(text_[at_])) at_++;
  }
  bool take(char c) {
    if (peek() != c) return false;
    at_++;
    return true;
  }
  std::string_view word() {
    skip_blanks();
    const std::size_t begin = at_;
    while (!ended() && !is_blank(text_[at_])) at_++;
    return text_.substr(begin, at_ - begin);
  }
  [[nodiscard]] tl::unexpected<Error> wrong(std::string what, std::string remedy = kForm) const {
    return wrong_at(at_, std::move(what), std::move(remedy));
  }
  [[nodiscard]] static tl::unexpected<Error> wrong_at(std::size_t at, std::string what,
                                                      std::string remedy = kForm) {
    return fail(std::move(what), std::move(remedy), static_cast<int>(at) + 1);
  }

  Result<OpenMetricsLine> remark() {
    at_++;
    const std::string_view first = word();
    if (first == "EOF" && text_.substr(at_).find_first_not_of(" \t") == std::string_view::npos)
      return OpenMetricsLine(OpenMetricsEnd{});
    if (first != "TYPE") return OpenMetricsLine(OpenMetricsRemark{});
    skip_blanks();
    auto family = peek() == '"' ? quoted("the name of a family") : Result<std::string>(word());
    if (!family) return tl::unexpected(family.error());
    skip_blanks();
    const std::size_t at = at_;
    const auto type = word();
    const auto kind = kind_of(type);
    if (family->empty() || !kind)
      return wrong_at(at, fmt::format("'{}' is no type of a family", shown(type)),
                      "# TYPE name counter, gauge, histogram, ...");
    return OpenMetricsLine(OpenMetricsType{std::move(*family), *kind});
  }

  Result<OpenMetricsLine> sample() {
    OpenMetricsSample sample;
    sample.name = plain_name(true);
    if (take('{')) {
      if (auto read = labels(sample); !read) return tl::unexpected(read.error());
    }
    if (sample.name.empty()) return wrong("a name of a metric is expected here");
    if (!ended() && !is_blank(peek()))
      return wrong(fmt::format("'{}' cannot stand here", shown(text_.substr(at_, 1))));
    if (auto read = value(sample); !read) return tl::unexpected(read.error());
    if (auto read = time(sample); !read) return tl::unexpected(read.error());
    skip_blanks();
    if (!ended() && peek() != '#')
      return wrong(fmt::format("'{}' is too much", shown(text_.substr(at_))));
    sample.exemplar = !ended();
    return OpenMetricsLine(std::move(sample));
  }

  std::string plain_name(bool colon) {
    const std::size_t begin = at_;
    const auto legal = [&](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':') ||
             (at_ > begin && c >= '0' && c <= '9');
    };
    while (!ended() && legal(text_[at_])) at_++;
    return std::string(text_.substr(begin, at_ - begin));
  }

  // Behind the brace.
  Result<void> labels(OpenMetricsSample& sample) {
    for (;;) {
      skip_blanks();
      if (take('}')) return {};
      const std::size_t begin = at_;
      const bool is_quoted = peek() == '"';
      auto name = is_quoted ? quoted("a name") : Result<std::string>(plain_name(false));
      if (!name) return tl::unexpected(name.error());
      if (name->empty()) return wrong("a name of a label is expected here");
      skip_blanks();
      if (is_quoted && peek() != '=') {  // {"a name of a metric", label="value"}
        if (!sample.name.empty()) return wrong_at(begin, "a second name of the metric");
        sample.name = std::move(*name);
      } else {
        if (!take('=')) return wrong("'=' is expected here");
        skip_blanks();
        auto text = quoted("the value of a label");
        if (!text) return tl::unexpected(text.error());
        const auto is_same = [&](const auto& label) { return label.first == *name; };
        if (std::any_of(sample.labels.begin(), sample.labels.end(), is_same))
          return wrong_at(begin, fmt::format("the label '{}' is there twice", shown(*name)),
                          "leave one of them");
        sample.labels.emplace_back(std::move(*name), std::move(*text));
        skip_blanks();
      }
      if (!take(',') && peek() != '}') return wrong("',' or '}' is expected here");
    }
  }

  // Escapes that the format does not have stay as they are, as Prometheus reads them.
  Result<std::string> quoted(const char* what) {
    const std::size_t begin = at_;
    if (!take('"')) return wrong(fmt::format("{} is expected here, in double quotes", what));
    std::string text;
    for (; !ended() && peek() != '"'; at_++) {
      if (peek() != '\\' || at_ + 1 == text_.size()) {
        text += peek();
        continue;
      }
      const char escaped = text_[++at_];
      if (escaped != 'n' && escaped != '\\' && escaped != '"') text += '\\';
      text += escaped == 'n' ? '\n' : escaped;
    }
    if (!take('"')) return wrong_at(begin, "a quote is not closed", "was the file cut off?");
    if (exposition::valid_utf8(text) != text)
      return wrong_at(begin, fmt::format("{} is not UTF-8", what), "iconv -t UTF-8");
    return text;
  }

  Result<void> value(OpenMetricsSample& sample) {
    skip_blanks();
    const std::size_t begin = at_;
    const std::string_view text = word();
    const auto value = openmetrics_number(text);
    if (!value)
      return wrong_at(begin, text.empty() ? "the sample has no value"
                                          : fmt::format("'{}' is no number that a double can hold",
                                                        shown(text)));
    sample.value = *value;
    return {};
  }

  Result<void> time(OpenMetricsSample& sample) {
    skip_blanks();
    const std::size_t begin = at_;
    if (ended() || peek() == '#')
      return wrong("the sample has no time",
                   "history needs one for each: `promtool tsdb dump-openmetrics` writes them");
    const std::string_view text = word();
    const auto seconds = openmetrics_number(text);
    if (!seconds) return wrong_at(begin, fmt::format("'{}' is no time", shown(text)));
    constexpr double kLast = static_cast<double>(kLastSecond);
    const bool in_milliseconds = *seconds > kLast && *seconds / 1000 <= kLast;
    if (!(*seconds >= 1 && *seconds <= kLast))
      return wrong_at(begin, fmt::format("'{}' is no time of ours (Unix seconds)", shown(text)),
                      in_milliseconds ? "it may be in milliseconds: divide by 1000" : kForm);
    sample.at = std::llround(*seconds * 1000);
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<double> openmetrics_number(std::string_view word) {
  if (word.starts_with('+')) {
    word.remove_prefix(1);
    if (word.starts_with('-')) return std::nullopt;
  }
  double value = 0;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

Result<OpenMetricsLine> read_openmetrics(std::string_view line) { return Line(line).read(); }

}  // namespace nz::store
