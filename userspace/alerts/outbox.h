// What one receiver has been told, and what it has yet to hear. Nothing is queued: the outbox holds
// the newest state of each alert and the one that was delivered, so it is as large as there are
// alerts, whatever happens while a receiver is away, and the receiver hears the truth when it is
// back. Has no clock and does no I/O.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/alerts/alert.h"
#include "userspace/base/result.h"

namespace nz::alerts {

class Outbox {
 public:
  struct Options {
    /// Alerts that agree in these labels go together; empty: all of them.
    std::vector<std::string> group_by;
    double wait = 0;      ///< seconds that news of a group wait for more of its kind
    double interval = 0;  ///< seconds between two messages about a group
    double repeat = 60;   ///< what fires is told again after so many seconds
    /// Resolved ones are told again for so long after their first delivery: an Alertmanager that is
    /// restarted forgets them before it has told anybody. 0: once.
    double retain_resolved = 0;
    bool send_resolved = true;
    double first_retry = 1, longest_retry = 60;  ///< seconds; doubled from one to the other
    std::size_t most = 2048;                     ///< alerts; those beyond are dropped and counted
  };

  /// One message: the alerts of a group, firing ones first.
  struct Message {
    std::string group;  ///< identity of the group
    analysis::Labels group_labels;
    std::vector<Alert> alerts;
  };

  explicit Outbox(Options options) : options_(std::move(options)) {}

  /// All alerts that go to this receiver, as of `now` (Unix seconds): firing, also silenced ones,
  /// and lately resolved. One that fired and is missing has ended. Of silenced ones nothing is told
  /// until they end.
  void update(const std::vector<Alert>& alerts, double now);

  /// A message that is due.
  [[nodiscard]] std::optional<Message> due(double now) const;
  /// When due() will have something, Unix seconds; infinity: not before an update().
  [[nodiscard]] double next() const;

  /// The message was taken.
  void delivered(const Message& message, double now);
  /// It was not; it is tried again, later each time. `chance` from 0 to 1 spreads the attempts of
  /// many agents.
  void failed(const Message& message, double now, double chance);

  /// Alerts whose newest state has not been delivered.
  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  /// As JSON (version 1), and back: on an error nothing is changed.
  [[nodiscard]] std::string save() const;
  Result<void> restore(std::string_view saved);

 private:
  struct Item {
    Alert alert;                  // its newest state
    std::optional<State> told;    // the state that was delivered
    double told_fired_at = 0;     // ... of the alert that fired then
    double resolved_told_at = 0;  // when its end was first delivered; 0: not yet
    bool seen = false;            // in the update that runs
    [[nodiscard]] bool is_mute() const {
      return alert.state == State::firing && !alert.silenced_by.empty();
    }
    [[nodiscard]] bool is_news() const {
      return !is_mute() && (!told || *told != alert.state || told_fired_at != alert.fired_at);
    }
  };
  struct Group {
    analysis::Labels labels;
    std::map<std::string, Item> items;  // by fingerprint
    double changed = 0;                 // since when there is news; 0: there is none
    double told = 0;                    // when a message was delivered last; 0: never
    double retry = 0;                   // not before; 0: at once
    int failures = 0;
    [[nodiscard]] bool has_news() const;
    [[nodiscard]] bool has_anything_to_tell() const;
  };

  void take(const Alert& alert, double now);
  void shift(double seconds);
  void sweep(double now);
  [[nodiscard]] double due_at(const Group& group) const;
  [[nodiscard]] bool is_over(const Item& item, double now) const;

  Options options_;
  std::map<std::string, Group> groups_;
  std::size_t size_ = 0;
  double last_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace nz::alerts
