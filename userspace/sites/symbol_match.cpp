#include "userspace/sites/symbol_match.h"

#include <cxxabi.h>
#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <memory>
#include <numeric>

namespace nz::sites {
namespace {

bool identifier_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Last identifier outside template arguments and parameters: "demo::Risk<int>::check(x)" ->
/// "check".
std::string last_identifier(std::string_view pattern) {
  pattern = pattern.substr(0, pattern.find('('));
  size_t end = pattern.size();
  if (end > 0 && pattern[end - 1] == '>') {  // skip balanced template arguments
    int depth = 0;
    while (end > 0) {
      --end;
      if (pattern[end] == '>') ++depth;
      if (pattern[end] == '<' && --depth == 0) break;
    }
  }
  size_t begin = end;
  while (begin > 0 && identifier_char(pattern[begin - 1])) --begin;
  std::string identifier(pattern.substr(begin, end - begin));
  // Operators are mangled to two letters, so their spelling is not in the mangled name.
  return pattern.find("operator") == std::string_view::npos ? identifier : std::string();
}

std::string without_spaces(std::string_view text) {
  std::string out;
  for (char c : text)
    if (c != ' ') out += c;
  return out;
}

/// Edit distance (insertions, deletions, substitutions), given up above `limit`.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit) {
  if ((a.size() > b.size() ? a.size() - b.size() : b.size() - a.size()) > limit) return limit + 1;
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    size_t smallest = row[0];
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
      smallest = std::min(smallest, row[j]);
    }
    if (smallest > limit) return limit + 1;
  }
  return row[b.size()];
}

std::string_view strip_template_arguments(std::string_view name) {
  if (name.empty() || name.back() != '>' || name.find("operator") != std::string_view::npos)
    return name;
  int depth = 0;
  for (size_t i = name.size(); i-- > 0;) {
    if (name[i] == '>') ++depth;
    if (name[i] == '<' && --depth == 0) return name.substr(0, i);
  }
  return name;
}

}  // namespace

std::string demangle(const std::string& name) {
  if (!name.starts_with("_Z")) return name;
  // Compiler suffixes (.isra.0) are understood by __cxa_demangle: "f(int) [clone .isra.0]".
  int status = 0;
  std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  return status == 0 && text ? std::string(text.get()) : name;
}

bool is_compiler_piece(std::string_view mangled) {
  for (std::string_view mark :
       {".cold", ".part.", ".isra.", ".constprop.", ".lto_priv.", ".llvm.", ".localalias"}) {
    const size_t at = mangled.find(mark);
    if (at != std::string_view::npos && at > 0) return true;
  }
  return mangled.ends_with(".part");
}

std::string without_parameters(const std::string& demangled) {
  std::string name = demangled;
  for (size_t at; (at = name.find("[abi:")) != std::string::npos;) {
    const size_t end = name.find(']', at);
    if (end == std::string::npos) break;
    name.erase(at, end - at + 1);
  }
  // The parameter list is the last balanced pair: searching backwards keeps "operator()" and
  // "(anonymous namespace)" apart from it.
  const size_t close = name.rfind(')');
  if (close != std::string::npos) {
    int depth = 0;
    for (size_t i = close + 1; i-- > 0;) {
      if (name[i] == ')') ++depth;
      if (name[i] == '(' && --depth == 0) {
        if (i > 0) name.resize(i);
        break;
      }
    }
  }
  if (name.find("operator") != std::string::npos) return name;
  // Templates are demangled with their return type in front, separated by a space.
  int depth = 0;
  size_t start = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == '<' || c == '(') ++depth;
    if (c == '>' || c == ')') --depth;
    if (c == ' ' && depth == 0) start = i + 1;
  }
  return name.substr(start);
}

SymbolPattern::SymbolPattern(std::string pattern)
    : pattern_(std::move(pattern)),
      needle_(last_identifier(pattern_)),
      // "operator*" is a name, not a glob, and so are pointers in a parameter list.
      glob_(pattern_.find_first_of("*?[") != std::string::npos &&
            pattern_.find('(') == std::string::npos &&
            pattern_.find("operator") == std::string::npos &&
            pattern_.find("[clone") == std::string::npos),
      with_parameters_(pattern_.find('(') != std::string::npos) {}

bool SymbolPattern::matches(const std::string& mangled, bool thorough) const {
  if (mangled == pattern_) return true;
  if (glob_) {
    // A glob that does not name pieces does not mean them: "risk_*" is not risk_check.cold.
    if (is_compiler_piece(mangled) && pattern_.find('.') == std::string::npos) return false;
    if (fnmatch(pattern_.c_str(), mangled.c_str(), 0) == 0) return true;
    if (!mangled.starts_with("_Z")) return false;
    const std::string full = demangle(mangled);
    return fnmatch(pattern_.c_str(), full.c_str(), 0) == 0 ||
           fnmatch(pattern_.c_str(), without_parameters(full).c_str(), 0) == 0;
  }
  if (!mangled.starts_with("_Z") || is_compiler_piece(mangled)) return false;
  if (!thorough && mangled.find(needle_) == std::string::npos) return false;
  const std::string full = demangle(mangled);
  if (with_parameters_ && without_spaces(full) == without_spaces(pattern_)) return true;
  const std::string name = without_parameters(full);
  if (with_parameters_) {
    // "operator()" without a parameter list, or a const method's list written without "const".
    if (without_spaces(name) == without_spaces(pattern_)) return true;
    const size_t close = full.rfind(')');
    return close != std::string::npos &&
           without_spaces(std::string_view(full).substr(0, close + 1)) == without_spaces(pattern_);
  }
  return name == pattern_ || strip_template_arguments(name) == pattern_;
}

NearestNames::NearestNames(std::string_view wanted, size_t limit) : limit_(limit) {
  wanted_ = without_parameters(std::string(wanted));
  std::erase_if(wanted_, [](char c) { return c == '*' || c == '?'; });
}

void NearestNames::offer(const std::string& mangled) {
  // Compare the last component first: it is short and it is what people mistype.
  const std::string name =
      mangled.starts_with("_Z") ? without_parameters(demangle(mangled)) : mangled;
  if (name.empty() || wanted_.empty()) return;
  auto last = [](std::string_view n) {
    n = strip_template_arguments(n);
    const size_t at = n.rfind("::");
    return at == std::string_view::npos ? n : n.substr(at + 2);
  };
  const size_t bound = std::max<size_t>(2, last(wanted_).size() / 2);
  const size_t worst =
      candidates_.size() < limit_ ? bound : std::min(bound, candidates_.back().distance);
  size_t distance = edit_distance(last(wanted_), last(name), worst);
  // Same function, other namespace: nearer than any misspelling.
  if (distance > worst && wanted_.size() >= 4 && name.find(wanted_) != std::string::npos)
    distance = bound;
  if (distance > bound) return;
  if (std::any_of(candidates_.begin(), candidates_.end(),
                  [&](const Candidate& c) { return c.name == name; }))
    return;
  const auto at = std::upper_bound(candidates_.begin(), candidates_.end(), distance,
                                   [](size_t d, const Candidate& c) { return d < c.distance; });
  candidates_.insert(at, Candidate{distance, name});
  if (candidates_.size() > limit_) candidates_.pop_back();
}

std::vector<std::string> NearestNames::best() const {
  std::vector<std::string> names;
  for (const Candidate& candidate : candidates_) names.push_back(candidate.name);
  return names;
}

}  // namespace nz::sites
