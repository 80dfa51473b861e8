// What the REST interface reads: so little that a test makes one by hand.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/event.h"
#include "analysis/finding.h"
#include "userspace/history/history.h"
#include "userspace/metrics/family.h"
#include "userspace/report/input.h"

namespace nz::rest {

/// A probe that does not observe what it should.
struct Unattached {
  std::string probe, target, reason;
};

/// What is known after one drain; immutable.
struct View {
  std::uint64_t generation = 0;  ///< another for each view: what was rendered from it stays valid
  double at = 0;                 ///< Unix seconds
  std::vector<metrics::Family> families;
  std::vector<analysis::Finding> findings;           ///< in the order to be told (the ledger's)
  std::shared_ptr<const analysis::Details> details;  ///< may be null
  std::vector<Unattached> unattached;
  /// What reports tell besides: the host, regressions, alerts, events; may be null.
  std::shared_ptr<const report::Extras> extras;
};

class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;
  /// The last hour, in memory.
  [[nodiscard]] virtual const history::History& history() const = 0;
  /// Of any range: those of history() where it reaches that far back, else of what is on disk.
  [[nodiscard]] virtual analysis::Window window(double from, double to,
                                                const history::History::Filter& filter = {}) const {
    return history().window(from, to, filter);
  }
  [[nodiscard]] virtual std::vector<history::Trend> trends(const history::Selector& selector,
                                                           double from, double to,
                                                           double step) const {
    return history().trends(selector, from, to, step);
  }
  /// Type and labels of what history knows of a family, be it there now or not; nothing: unknown.
  [[nodiscard]] virtual std::optional<metrics::Family> family(const std::string& name) const {
    return history().family(name);
  }
  /// Events that are on disk, between two times (Unix seconds); nothing where none are kept.
  [[nodiscard]] virtual std::optional<std::vector<analysis::Event>> events(double /*from*/,
                                                                           double /*to*/) const {
    return std::nullopt;
  }
  [[nodiscard]] virtual double oldest() const { return history().oldest(); }  ///< 0: nothing
  /// nullptr before the first drain.
  [[nodiscard]] virtual std::shared_ptr<const View> view() const = 0;
};

}  // namespace nz::rest
