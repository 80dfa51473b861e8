#include "userspace/alerts/matcher.h"

#include <re2/re2.h>

#include <algorithm>
#include <optional>

#include "userspace/config/problems.h"

namespace nz::alerts {
namespace {

constexpr std::size_t kMostMatchers = 32;
constexpr std::int64_t kMostExpressionBytes = 256 << 10;  // of one compiled expression

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}
bool is_name(char c) { return is_name_start(c) || (c >= '0' && c <= '9'); }

const char* sign_of(Matcher::Kind kind) {
  switch (kind) {
    case Matcher::Kind::equal:
      return "=";
    case Matcher::Kind::unequal:
      return "!=";
    case Matcher::Kind::like:
      return "=~";
    case Matcher::Kind::unlike:
      return "!~";
  }
  return "";
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Selector> selector() {
    Selector selector;
    blanks();
    selector.name = name();
    blanks();
    if (peek() == '{') {
      at_++;
      if (auto failed = matchers(selector.matchers, '}')) return tl::unexpected(*failed);
      blanks();
    }
    if (!ended()) return tl::unexpected(wrong("'{' or the end"));
    if (selector.name.empty() && selector.matchers.empty())
      return fail("no series is named", "write for instance nearzero_runqueue_latency_seconds");
    return selector;
  }

  Result<Matchers> list() {
    Matchers all;
    if (auto failed = matchers(all, '\0')) return tl::unexpected(*failed);
    return all;
  }

 private:
  [[nodiscard]] bool ended() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek() const { return ended() ? '\0' : text_[at_]; }
  void blanks() {
    while (peek() == ' ' || peek() == '\t') at_++;
  }
  std::string name() {
    const std::size_t begin = at_;
    if (is_name_start(peek())) {
      while (is_name(peek())) at_++;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }
  [[nodiscard]] Error wrong(const std::string& expected) const {
    return {"expected " + expected + " at character " + std::to_string(at_ + 1) + " of " +
                config::in_quotes(text_),
            "write for instance nearzero_x{target=\"demo\",stage=~\"risk|persist\"}"};
  }

  // Up to `end`, which is taken.
  std::optional<Error> matchers(Matchers& all, char end) {
    const auto at_end = [&] { return end == '\0' ? ended() : peek() == end; };
    while (true) {
      blanks();
      if (at_end()) break;
      if (all.size() == kMostMatchers)
        return Error{"more than " + std::to_string(kMostMatchers) + " conditions on labels", ""};
      Matcher matcher;
      if (auto failed = one(matcher)) return failed;
      all.push_back(std::move(matcher));
      blanks();
      if (peek() == ',') {
        at_++;
      } else if (!at_end()) {
        return wrong(end == '\0' ? "',' or the end" : "',' or '}'");
      }
    }
    if (end != '\0') at_++;
    return std::nullopt;
  }

  std::optional<Error> one(Matcher& matcher) {
    matcher.label = name();
    if (matcher.label.empty()) return wrong("the name of a label");
    blanks();
    if (peek() == '=') {
      at_++;
      matcher.kind = Matcher::Kind::equal;
      if (peek() == '~') {
        at_++;
        matcher.kind = Matcher::Kind::like;
      }
    } else if (peek() == '!') {
      at_++;
      if (peek() != '=' && peek() != '~') return wrong("'!=' or '!~'");
      matcher.kind = peek() == '=' ? Matcher::Kind::unequal : Matcher::Kind::unlike;
      at_++;
    } else {
      return wrong("one of = != =~ !~");
    }
    blanks();
    if (auto failed = quoted(matcher.value)) return failed;
    return compile(matcher);
  }

  std::optional<Error> quoted(std::string& value) {
    const char quote = peek();
    if (quote != '"' && quote != '\'') return wrong("a value in quotes");
    at_++;
    while (peek() != quote) {
      if (ended()) return wrong("the closing quote");
      char c = text_[at_++];
      if (c == '\\') {
        if (ended()) return wrong("a character after '\\'");
        c = text_[at_++];
        if (c == 'n')
          c = '\n';
        else if (c != '\\' && c != '"' && c != '\'')
          value += '\\';  // of a regular expression: \d
      }
      value += c;
    }
    at_++;
    return std::nullopt;
  }

  static std::optional<Error> compile(Matcher& matcher) {
    if (matcher.kind != Matcher::Kind::like && matcher.kind != Matcher::Kind::unlike)
      return std::nullopt;
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kMostExpressionBytes);
    auto expression = std::make_shared<const RE2>(matcher.value, options);
    if (!expression->ok()) {
      return Error{
          config::in_quotes(matcher.value) + " is no regular expression: " + expression->error(),
          "the syntax is that of Prometheus (RE2), without look-ahead"};
    }
    matcher.expression = std::move(expression);
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

bool Matcher::matches(std::string_view label_value) const {
  switch (kind) {
    case Kind::equal:
      return label_value == value;
    case Kind::unequal:
      return label_value != value;
    case Kind::like:
      return RE2::FullMatch(re2::StringPiece(label_value.data(), label_value.size()), *expression);
    case Kind::unlike:
      return !RE2::FullMatch(re2::StringPiece(label_value.data(), label_value.size()), *expression);
  }
  return false;
}

std::string Matcher::text() const {
  std::string out = label + sign_of(kind) + '"';
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string_view value_of(const analysis::Labels& labels, std::string_view label) {
  const auto found = std::find_if(labels.begin(), labels.end(),
                                  [&](const auto& pair) { return pair.first == label; });
  return found == labels.end() ? std::string_view() : std::string_view(found->second);
}

bool matches(const Matchers& matchers, const analysis::Labels& labels) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& matcher) {
    return matcher.matches(value_of(labels, matcher.label));
  });
}

bool Selector::matches(std::string_view series, const analysis::Labels& labels) const {
  return (name.empty() || name == series) && alerts::matches(matchers, labels);
}

std::string Selector::text() const {
  if (matchers.empty()) return name;
  std::string out = name;
  char before = '{';
  for (const Matcher& matcher : matchers) {
    out += before + matcher.text();
    before = ',';
  }
  return out + '}';
}

Result<Selector> parse_selector(std::string_view text) { return Parser(text).selector(); }
Result<Matchers> parse_matchers(std::string_view text) { return Parser(text).list(); }

}  // namespace nz::alerts
