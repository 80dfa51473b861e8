// Alerts of the agent: rules, their states over time, silences, notifications, and all of it over a
// restart. What the agent does: step() after each drain, collect() for its own metrics, command()
// for the control socket, reload() on SIGHUP.
#pragma once

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

  /// The files once more, or others. Alerts of rules that did not change go on. Where a file cannot
  /// be read, what was in force stays.
  void reload(const std::vector<std::string>& rule_files);

  /// Whoever calls it says how often. Waits for what `facts` wait for, never for network or disk.
  /// What fired and what ended is also logged.
  Engine::Changes step(const Facts& facts, double now);

  /// nearzero_alerts{rule,state,severity}, nearzero_alert_*.
  void collect(std::vector<metrics::Family>& out) const;

  /// Answers `alerts`, `silences`, `silence add {...}` and `silence remove ID` (docs/alerts.md);
  /// nothing for any other line.
  std::optional<std::string> command(const std::string& line);

  /// With silenced_by, as the receivers see them.
  [[nodiscard]] std::vector<Alert> alerts() const;
  [[nodiscard]] const RuleFile& file() const { return file_; }

 private:
  void load(const std::vector<std::string>& rule_files);
  void set_receivers(const nlohmann::json& saved);
  nlohmann::json restore();  // what receivers had been told
  void publish();
  void note_state();
  [[nodiscard]] std::string compose() const;
  [[nodiscard]] std::string list_json() const;
  [[nodiscard]] std::string silences_json();
  std::string add_silence(const std::string& json);

  Options options_;
  RuleFile file_;
  Engine engine_;
  Silences silences_;
  double last_note_ = 0, evaluation_seconds_ = 0;

  mutable std::mutex mutex_;                                 // of what the keeper's thread reads:
  std::string saved_engine_ = "{}", saved_silences_ = "{}";  // as JSON
  std::vector<std::shared_ptr<Courier>> couriers_;           // changed by the agent's thread alone
  // What receivers have been told that no file names now, for a mistake in it or in theirs.
  std::map<std::string, std::string> unclaimed_;
  std::unique_ptr<StateKeeper> keeper_;  // last: its thread reads the rest
};

}  // namespace nz::alerts
