// Reports that nobody has to ask for: made when their period is over, kept with those that somebody
// asked for, and as files.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "userspace/config/config.h"
#include "userspace/metrics/family.h"
#include "userspace/report/scheduled_reports.h"
#include "userspace/rest/report_store.h"
#include "userspace/rest/source.h"

namespace nz::agent {

class Reports {
 public:
  /// `source` outlives it. `kept`: where reports go, of schedules and of requests.
  Reports(const rest::Source& source, std::shared_ptr<rest::ReportStore> kept);

  /// Other schedules, from the next step on; one that did not change goes on. Of any thread.
  void configure(const config::Reports& config);

  /// Makes the reports that are due at `now`, Unix seconds; each takes as long as reading its
  /// range. What fails is logged and counted, and tried again. Of one thread.
  void step(double now);

  /// nearzero_scheduled_*, nearzero_report_errors_total. Of any thread. `archive_errors`: of
  /// StoredReports.
  void collect(std::vector<metrics::Family>& out, std::uint64_t archive_errors = 0) const;

 private:
  struct Plan {
    config::ReportSchedule schedule;
    std::unique_ptr<report::ScheduledReports> due;
    std::string directory;
    unsigned keep = 0;
  };
  struct Told {
    std::uint64_t made = 0;
    double newest = 0;  ///< Unix seconds: end of the newest report's period; 0: none
  };

  void plan(double now);
  void step(Plan& plan, double now);
  std::string make(const Plan& plan, const report::Period& period);

  const rest::Source& source_;
  const std::shared_ptr<rest::ReportStore> kept_;
  std::vector<Plan> plans_;  // of the stepping thread

  mutable std::mutex mutex_;  // of what follows
  config::Reports wanted_;
  bool changed_ = false;
  std::vector<std::pair<std::string, Told>> told_;  // by schedule
  std::uint64_t file_errors_ = 0, make_errors_ = 0;
};

}  // namespace nz::agent
