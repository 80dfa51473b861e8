// What a rule says before the candidates are weighed against each other.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analysis/bottlenecks/order_path.h"
#include "analysis/finding.h"

namespace nz::analysis {

struct Processors;

/// All that a rule may look at, for one target.
struct Context {
  const WindowIndex& now;
  const WindowIndex& before;  ///< empty where there is no reference
  const Details& details;
  const Rules& rules;
  /// Filled by processors() (cpu_use.h) when the first rule asks: many do.
  mutable std::shared_ptr<const Processors> cpu = nullptr;

  /// The reference is long enough to compare host figures with.
  [[nodiscard]] bool has_reference() const { return before.seconds() >= rules.least_seconds; }
};

/// "This much of an order's time in this part is mine."
struct Claim {
  Component component;
  double seconds;  ///< per order
};

/// "If both are there, this part of that kind's claim is my doing."
struct Explains {
  std::string kind;
  double part;  ///< 0..1
};

struct Candidate {
  Finding finding;  ///< without severity, impact, state and times: those come later
  std::vector<Claim> claims;
  std::vector<Explains> explains;
  /// Claims only what all others leave of a part.
  bool residual = false;
  /// Reported even where no order feels it (yet), with at least this severity.
  bool always = false;
  Severity least_severity = Severity::info;
  /// ... and this confidence: a limit that is reached or an error that was returned is a fact,
  /// whatever orders feel.
  double least_confidence = 0.7;
  /// Share of orders that errors cost: an impact of its own.
  double failed = 0;
  /// Seconds per order that it takes and always took: an impact that no reference shows.
  double standing = 0;
  /// Seconds per order before its first stage: on top of the time of its stages (wait_ahead.h).
  double ahead = 0;
  /// Seconds per order that must be left to it; 0: the rules' least impact decides alone.
  double least_seconds = 0;
  /// Whether figures beside the order path agree; each adds to the confidence.
  std::vector<bool> symptoms;
};

using Rule = void (*)(const Context&, const OrderPath&, std::vector<Candidate>&);

/// A candidate with kind, target, place and id. `place` is part of the identity: only what stays
/// the same over time (a device, a digest), never the stage that happens to be worst.
Candidate candidate(std::string kind, const OrderPath& path, const std::string& place = {});

/// "in stage risk" for a title, with a space before it; empty where unknown.
std::string in_stage(const OrderPath& path, Component component);

/// "1.2 ms of 2.0 ms per order (before: 60 us of 0.9 ms)"; shares where there are no stages.
std::string per_order_text(const OrderPath& path, double now, double before);

/// Beyond least impact (with or without a reference) and grown: a rule's first look.
bool noticeable(const Context& context, const OrderPath& path, double seconds_per_order);

/// A figure grew by at least `factor`; true where there was none before. `before` absent: true.
bool grew(double now, double before, double factor);

}  // namespace nz::analysis
