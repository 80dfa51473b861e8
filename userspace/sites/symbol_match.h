// Names of functions: how a user writes one, and whether it is the name of a given symbol.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nz::sites {

/// The demangled form, or `name` itself when it is not a mangled C++ or Rust (legacy) name.
std::string demangle(const std::string& name);

/// Whether a compiler split or cloned this from a function: "f.cold", "f.part.0", "f.isra.0".
bool is_compiler_piece(std::string_view mangled);

/// A pattern that a user wrote, prepared for comparing with many symbols.
class SymbolPattern {
 public:
  explicit SymbolPattern(std::string pattern);

  /// Whether the symbol matches. With `thorough` false a cheap test on the mangled name comes
  /// first, which saves demangling 100,000 names (0.3 s) and misses only names that the mangling
  /// abbreviates.
  [[nodiscard]] bool matches(const std::string& mangled, bool thorough) const;
  [[nodiscard]] bool glob() const { return glob_; }

 private:
  std::string pattern_;
  std::string needle_;  ///< last identifier of the pattern: part of the mangled name as it stands
  bool glob_ = false;
  bool with_parameters_ = false;
};

/// Demangled name without parameter list, return type, and ABI tags:
/// "int demo::f<long>(char) const" gives "demo::f<long>".
std::string without_parameters(const std::string& demangled);

/// Keeps the `limit` names that are nearest to a wanted one, by edit distance of the last
/// component.
class NearestNames {
 public:
  explicit NearestNames(std::string_view wanted, size_t limit = 5);
  void offer(const std::string& mangled);
  /// Demangled, nearest first; empty when nothing is similar.
  [[nodiscard]] std::vector<std::string> best() const;

 private:
  struct Candidate {
    size_t distance;
    std::string name;
  };
  std::string wanted_;
  size_t limit_;
  std::vector<Candidate> candidates_;  ///< sorted by distance
};

}  // namespace nz::sites
