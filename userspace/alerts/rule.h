// Alert rules as structs: what docs/alerts.md describes and configs/alerts.schema.json checks.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "analysis/finding.h"
#include "userspace/alerts/matcher.h"
#include "userspace/alerts/measure.h"
#include "userspace/alerts/templates.h"

namespace nz::alerts {

using analysis::Severity;

const char* word(Severity severity);  ///< "info", "warning", "critical"
std::optional<Severity> parse_severity(std::string_view text);

/// Beyond which a figure is wrong, and where it is right again.
struct Bound {
  bool above = true;            ///< false: wrong below
  double value = 0;             ///< in the figure's unit
  std::optional<double> clear;  ///< hysteresis: a firing alert ends only on this side of it

  /// Whether a figure is wrong; `firing`: the alert fires already. NaN never is.
  [[nodiscard]] bool holds(double figure, bool firing) const {
    const double limit = firing && clear ? *clear : value;
    return above ? figure > limit : figure < limit;
  }
};

struct Threshold {
  Measure of;
  Bound bound;
};

/// A share: `of` by `to`, or what is missing to it (1 - of / to).
struct Ratio {
  Measure of, to;
  bool complement = false;
  double least = 0;  ///< `to` must be above it, or there are too few to tell
  Bound bound;

  /// Seconds by operations are seconds; all else is a share.
  [[nodiscard]] std::string unit() const;
};

/// Worse than a baseline says is usual: by the factor, and by the difference, and by the spreads.
struct Degradation {
  Measure of;
  std::string baseline = "hour_of_week";
  bool above = true;
  double factor = 1;      ///< above: usual x factor; below: usual / factor
  double difference = 0;  ///< ... and at least so far away, in the measure's unit
  double spreads = 0;     ///< ... and so many robust standard deviations
};

/// A lasting change that detection has found (analysis/regression.h).
struct RegressionFound {
  Selector series;        ///< empty: any
  std::string statistic;  ///< empty: any
  bool worse_only = true;
  double least_change = 0;  ///< |after / before - 1|
  double least_confidence = 0;
};

/// Figures that their past did not let expect, several at a time (analysis/regression.h).
struct AnomalyFound {
  Selector series;  ///< of any member; empty: any
  double least_score = 0;
  std::size_t least_members = 1;
};

/// A bottleneck that the rules of analysis/bottlenecks have found.
struct BottleneckFound {
  std::vector<std::string> kinds;  ///< empty: any
  Matchers where;                  ///< on the labels target, kind and where
  Severity least_severity = Severity::info;
  double least_impact = 0, least_confidence = 0;
  bool severity_as_found = true;  ///< the rule names no severity: that of the finding
};

/// A series that should be there, and is not, or in which nothing is recorded.
struct Absence {
  Selector series;
  double window = 300;  ///< seconds
  double least = 0;     ///< counters and histograms: growth of all of them in the window

  /// History has gauges at the end of a window alone: the engine waits until they have been missing
  /// there for as long as the window.
  [[nodiscard]] bool of_gauge() const;
};

/// How fast an error budget is spent (Google, The Site Reliability Workbook, 2018, chapter 5).
struct BurnRate {
  struct Window {
    double length = 3600, confirm = 300;  ///< seconds: the long and the short one
    double burn = 14.4;                   ///< both must spend the budget so many times too fast
    Severity severity = Severity::critical;
  };
  double objective = 0.999;
  /// Either good and bad by a histogram's values ...
  Selector series;
  double slower_than = 0;  ///< seconds
  /// ... or by counters.
  Selector bad, total;
  std::vector<std::string> by;
  bool each = true;
  std::vector<Window> windows;

  [[nodiscard]] bool of_values() const { return !series.name.empty(); }
};

/// A limit that is reached before long if it goes on so (analysis/limit_forecast.h).
struct ForecastFound {
  enum class Moment { earliest, likeliest, latest };
  std::string resource;  ///< one of forecast_names(); empty: `of` against `bound`
  Measure of;
  Bound bound;
  Matchers where;
  double within = 86400;  ///< seconds: alerts when the moment is nearer
  Moment moment = Moment::likeliest;

  /// What of all forecasts it is about (LimitForecast::subject).
  [[nodiscard]] std::string subject() const;
};

using Condition = std::variant<Threshold, Ratio, Degradation, RegressionFound, AnomalyFound,
                               BottleneckFound, Absence, BurnRate, ForecastFound>;
/// "threshold", "ratio", ... as the key in a file.
const char* kind_of(const Condition& condition);

struct Rule {
  std::string name;    ///< [A-Za-z_][A-Za-z0-9_]*, unique; the label alertname
  std::string source;  ///< FILE:LINE:COLUMN
  Condition condition;
  std::string kind;  ///< as written: "resource" is a ratio
  double for_seconds = 0;
  double keep_firing_seconds = 60;
  Severity severity = Severity::warning;
  std::vector<std::pair<std::string, std::string>> labels;    ///< added to each alert's
  std::vector<std::pair<std::string, Template>> annotations;  ///< summary, description, ...
  std::vector<std::string> receivers;                         ///< empty: all
  std::string identity;  ///< the condition as text: another one is another alert

  /// Seconds that it must hold before it fires: `for`, and the window of a gauge that is absent.
  [[nodiscard]] double wait() const;
  /// Severities that its alerts can have.
  [[nodiscard]] std::vector<Severity> severities() const;
};

/// Where alerts go.
struct Receiver {
  enum class Kind { alertmanager, webhook, log };
  std::string name;  ///< the label `receiver`
  Kind kind = Kind::log;
  std::vector<std::string> urls;  ///< each gets everything
  std::string ca_file;            ///< PEM, besides the system's; empty: those alone
  bool verify = true;             ///< false: any certificate will do
  std::string token_file;         ///< bearer token
  std::string user, password_file;
  double timeout = 5;  ///< seconds, for each step of a request
  Severity least_severity = Severity::info;
  bool send_resolved = true;
  // How alerts are put together (webhook) and sent again (both).
  std::vector<std::string> group_by;
  double group_wait = 0, group_interval = 0, repeat = 60;

  bool operator==(const Receiver&) const = default;
};

/// One rule file as it could be read.
struct RuleFile {
  std::string name;
  std::vector<Rule> rules;
  std::vector<Receiver> receivers;
  std::size_t bad_rules = 0;               ///< left out
  std::vector<std::string> problems;       ///< a line each, with place and remedy
  bool readable = true;                    ///< false: some file was not there, or no YAML
  std::vector<std::string> bad_receivers;  ///< left out, by name
};

}  // namespace nz::alerts
