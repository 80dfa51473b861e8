// Alerts of the agent: rules, their states over time, silences, notifications, and all of it over a
// restart. What the agent does: step() on a thread for it, which may take its time, and on another
// collect() for its own metrics, command() for the control socket, reload() on SIGHUP. None of
// these waits for a step: they see what the last one left.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "userspace/alerts/courier.h"
#include "userspace/alerts/engine.h"
#include "userspace/alerts/silence.h"
#include "userspace/alerts/state_file.h"
#include "userspace/metrics/family.h"

namespace nz::alerts {

class Service {
 public:
  struct Options {
    std::vector<std::string> rule_files;
    std::string state_file;  ///< empty: nothing is kept over a restart
    std::string host;        ///< its name, for {{ host }}
    std::string url;         ///< of the agent, for receivers; may be empty
    Engine::Options engine = {};
    Courier::Now now = {};  ///< Unix seconds; empty: the system's clock
  };

  /// Reads rules and state, and starts a thread for each URL. What is wrong with either is logged:
  /// the rest runs.
  explicit Service(Options options);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// The files once more, or others; they are judged from the next step on. Alerts of rules that
  /// did not change go on. Where a file cannot be read, what was in force stays. One at a time.
  void reload(const std::vector<std::string>& rule_files);

  /// Whoever calls it says how often; one at a time. Waits for what `facts` wait for, never for
  /// network or disk. What fired and what ended is also logged.
  Engine::Changes step(const Facts& facts, double now);

  /// nearzero_alerts{rule,state,severity}, nearzero_alert_*.
  void collect(std::vector<metrics::Family>& out) const;

  /// Answers `alerts`, `silences`, `silence add {...}` and `silence remove ID` (docs/alerts.md);
  /// nothing for any other line.
  std::optional<std::string> command(const std::string& line);

  /// With silenced_by, as the receivers see them.
  [[nodiscard]] std::vector<Alert> alerts() const;
  /// What is in force; never null.
  [[nodiscard]] std::shared_ptr<const RuleFile> file() const;

 private:
  /// What a step leaves for whoever asks.
  struct Seen {
    std::vector<Alert> alerts;  ///< silenced_by is not set
    std::vector<Engine::Unknown> unknown;
    std::uint64_t dropped = 0, failures = 0;
    double seconds = 0;  ///< spent in steps
  };
  using Couriers = std::vector<std::shared_ptr<Courier>>;

  void load(const std::vector<std::string>& rule_files);
  void set_receivers(const nlohmann::json& saved);
  nlohmann::json restore();  // what receivers had been told
  void look_back();
  void note_engine();
  void publish();
  void note_change() const;
  [[nodiscard]] std::vector<Alert> silenced() const;
  [[nodiscard]] std::string compose() const;
  [[nodiscard]] std::string list_json() const;
  [[nodiscard]] std::string silences_json();
  std::string add_silence(const std::string& json);
  std::string remove_silence(const std::string& id);

  Options options_;

  // Of the thread that steps.
  Engine engine_;
  std::shared_ptr<const RuleFile> judged_;  // whose rules the engine has
  double last_note_ = 0, seconds_ = 0;

  mutable std::mutex mutex_;  // never held for long; guards what follows
  std::shared_ptr<const RuleFile> file_ = std::make_shared<const RuleFile>();
  std::shared_ptr<const Seen> seen_;  // never null
  Silences silences_;
  std::string saved_engine_ = "{}";  // as JSON
  Couriers couriers_;                // changed by reload() alone
  // What receivers have been told that no file names now, for a mistake in it or in theirs.
  std::map<std::string, std::string> unclaimed_;
  std::unique_ptr<StateKeeper> keeper_;  // last: its thread reads the rest
};

}  // namespace nz::alerts
