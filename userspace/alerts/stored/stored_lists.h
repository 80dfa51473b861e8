// What was found, had regressed and was odd at each moment of a history on disk, as far as it has
// that.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "userspace/alerts/recording.h"
#include "userspace/detected/spell.h"
#include "userspace/store/reader.h"

namespace nz::alerts {

/// Regressions and incidents are those that the agent kept (userspace/detected/spell.h). Of a
/// bottleneck there is only the impact of the costliest of each target and kind, as a series. The
/// agent's own counts of what is open tell when one of them is missing here.
class StoredLists {
 public:
  using Families = std::map<std::string, metrics::Family>;

  /// Error: the file cannot be read.
  static Result<StoredLists> read(store::Reader& reader);

  /// The series that tell() looks at.
  static const std::set<std::string>& families();
  /// Findings as of `moment.at`, by the series of the interval that ends there and has so many
  /// `seconds`, and what is missing of them and of what fill() will give.
  void tell(const Families& series, double seconds, Moment& moment) const;
  /// The same as of the begin of the first interval. Its series are as of its end: of what was open
  /// before, only fill() tells.
  static void begin(const Families& series, Moment& moment);
  /// Regressions and incidents as of `moment.at`: copies of up to 1,024, some KB each, so for one
  /// moment at a time.
  void fill(Moment& moment) const;

  /// What of the file could not be read, a line each.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  template <class T>
  Result<std::vector<detected::Spell<T>>> spells(store::Reader& reader);

  std::vector<detected::Spell<analysis::Regression>> regressions_;
  std::vector<detected::Spell<analysis::Incident>> incidents_;
  std::vector<std::string> problems_;
};

}  // namespace nz::alerts
