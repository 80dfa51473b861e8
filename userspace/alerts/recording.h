// Recorded history as JSON lines, one moment a line, in order of time (docs/alerts.md):
//
//   {"at": 1764255600, "families": {"nearzero_off": [{"value": 0}], ...}, "findings": [...],
//    "regressions": [...], "incidents": [...], "baselines": [...], "forecasts": [...]}
//
// `families` is what the agent answers at /live.json: cumulative values and histograms. All but
// `at` may be missing; findings, regressions, incidents, baselines and forecasts hold until a line
// names others.
#pragma once

#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "analysis/finding.h"
#include "analysis/limit_forecast.h"
#include "analysis/regression.h"
#include "userspace/alerts/facts.h"
#include "userspace/base/result.h"
#include "userspace/metrics/family.h"

namespace nz::alerts {

struct RecordedBaseline {
  analysis::Quantity of;
  std::string name;
  BaselineValue value;
};

struct Moment {
  double at = 0;  ///< Unix seconds
  std::optional<std::vector<metrics::Family>> families;
  std::optional<std::vector<analysis::Finding>> findings;
  std::optional<std::vector<analysis::Regression>> regressions;
  std::optional<std::vector<analysis::Incident>> incidents;
  std::optional<std::vector<RecordedBaseline>> baselines;
  std::optional<std::vector<analysis::LimitForecast>> forecasts;
  Gaps gaps;  ///< of findings, regressions and incidents, now
};

/// Moments in order of time.
class Moments {
 public:
  Moments() = default;
  Moments(const Moments&) = delete;
  Moments& operator=(const Moments&) = delete;
  virtual ~Moments() = default;
  /// Nothing at the end. After an error reading can go on behind it.
  virtual Result<std::optional<Moment>> next() = 0;
  /// How much of it has been read, for whoever waits.
  [[nodiscard]] virtual std::size_t done() const = 0;
};

/// Reads a recording line by line.
class Recording : public Moments {
 public:
  /// `most`: bytes of a line.
  Recording(std::istream& in, std::string name, std::size_t most = std::size_t{64} << 20)
      : in_(in), name_(std::move(name)), most_(most) {}

  /// Errors name FILE:LINE and what is wrong. One of reading is the last: the end comes after it.
  Result<std::optional<Moment>> next() override;
  [[nodiscard]] std::size_t done() const override { return line_; }  ///< lines

 private:
  bool read_line(std::string& text);

  std::istream& in_;
  std::string name_;
  const std::size_t most_;
  bool broken_ = false;
  std::size_t line_ = 0;
};

}  // namespace nz::alerts
