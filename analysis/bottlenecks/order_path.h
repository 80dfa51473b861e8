// The time of one order, by what its thread did, in a window and in the reference: what impact is
// measured in.
//
// With stages an order is an order. Without, it is one second that the target spent on a CPU: waits
// are then taken per second of work, so that twice the load with twice the waits is no change.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/bottlenecks/rules.h"
#include "analysis/bottlenecks/window_index.h"

namespace nz::analysis {

/// Label `component` of nearzero_order_stage_component_seconds_total.
enum class Component {
  running,
  runnable,
  lock,
  idle,
  disk,
  network,
  sleep,
  page_fault,
  ipc,
  other
};
inline constexpr std::size_t kComponents = 10;
std::string_view component_name(Component component);

/// Seconds by component.
class Parts {
 public:
  double& operator[](Component c) { return values_[static_cast<std::size_t>(c)]; }
  double operator[](Component c) const { return values_[static_cast<std::size_t>(c)]; }
  [[nodiscard]] double sum() const;

 private:
  std::array<double, kComponents> values_{};
};

struct StageTime {
  std::string stage;
  Parts parts;  ///< seconds per order of the path
};

/// One window of the order path.
struct PathTime {
  double orders = 0;             ///< that were seen; with a duty cycle a part of all
  double orders_per_second = 0;  ///< of all
  double observed = 1;           ///< part of the window in which stages were observed, 0..1
  Parts parts;                   ///< seconds per order
  double seconds = 0;            ///< per order: the sum of its parts
  double longest = 0;            ///< of an order, seconds; 0: unknown
  std::vector<StageTime> stages;
};

class OrderPath {
 public:
  /// `usable()` is false where the window has too few orders.
  OrderPath(std::string target, const WindowIndex& now, const WindowIndex& before,
            const Rules& rules);

  [[nodiscard]] const std::string& target() const { return target_; }
  [[nodiscard]] const PathTime& now() const { return now_; }
  [[nodiscard]] const PathTime& before() const { return before_; }
  /// Stages are configured: an order is an order.
  [[nodiscard]] bool from_stages() const { return from_stages_; }
  [[nodiscard]] bool usable() const { return usable_; }
  /// The reference has enough orders to compare with.
  [[nodiscard]] bool comparable() const { return comparable_; }

  /// Seconds per order beyond the reference; all of them where there is none (running: 0, because
  /// work is no fault). 0 where the window is not usable.
  [[nodiscard]] double excess(Component component) const;
  /// Seconds in this window that all of the target's threads spent so beyond the reference, by the
  /// scheduler, which a duty cycle does not pause. Nothing of running and without a reference.
  [[nodiscard]] double beyond(Component component) const;
  /// Share of an order's time.
  [[nodiscard]] double share(double seconds_per_order) const;
  /// The stage where the component grew most: "stage risk"; empty where there is one or none.
  [[nodiscard]] std::string worst_stage(Component component) const;

  /// Seconds per order of something that a probe saw (`sum` over its observed seconds).
  [[nodiscard]] double per_order_now(double sum, std::string_view probe) const;
  [[nodiscard]] double per_order_before(double sum, std::string_view probe) const;

 private:
  std::string target_;
  const WindowIndex& now_index_;
  const WindowIndex& before_index_;
  PathTime now_, before_;
  bool from_stages_ = false, usable_ = false, comparable_ = false;
};

/// The stage that contains the others; empty where they follow each other. `named`: from the rules.
std::string whole_stage(const WindowIndex& window, const std::string& target,
                        const std::string& named);

}  // namespace nz::analysis
