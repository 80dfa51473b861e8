// A regression or an incident, and from when to when the agent knew it as open: what its alert
// rules saw, which begins later than the change itself and ends later than its cure. Each is a
// state of the store by the number of its place; the newest kPlaces of a kind are kept.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "analysis/regression.h"
#include "userspace/base/result.h"

namespace nz::detected {

template <class T>
struct Spell {
  T what;
  double from = 0;  ///< Unix seconds: when it was told
  double to = 0;    ///< Unix seconds; 0: it is still open
};

inline constexpr std::size_t kPlaces = 512;

/// The states of spells of T begin so; the number of the place follows.
template <class T>
const char* key_prefix();
template <>
inline const char* key_prefix<analysis::Regression>() {
  return "spell/regression/";
}
template <>
inline const char* key_prefix<analysis::Incident>() {
  return "spell/incident/";
}

// Both for analysis::Regression and analysis::Incident.
template <class T>
std::string save(const Spell<T>& spell);
/// Error: it is not what save() wrote.
template <class T>
Result<Spell<T>> parse(std::string_view saved);

}  // namespace nz::detected
