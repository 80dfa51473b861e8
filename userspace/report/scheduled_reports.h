// Reports at regular times, as files: what an agent that is told so calls from its loop.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "userspace/base/result.h"
#include "userspace/report/schedule.h"

namespace nz::report {

class ScheduledReports {
 public:
  struct Options {
    double every = 86400;         ///< seconds, at least a minute
    double offset = 0;            ///< seconds after midnight UTC (Schedule)
    std::string directory;        ///< made where it is not there; empty: no files
    std::size_t keep = 30;        ///< files
    std::string format = "html";  ///< their ending: "html", "md" or "json"
    double retry = 600;           ///< seconds after a file could not be written
  };
  /// Looks into the directory for the newest report, so that a restart makes none twice. `last`:
  /// the end of the newest one that is known elsewhere.
  ScheduledReports(const Options& options, double now, std::optional<double> last = std::nullopt);

  /// Makes the report of a period; the text of its file, empty where there is nothing to tell.
  using Make = std::function<std::string(const Period&)>;
  /// Nothing where no report is due. Else makes it and writes it: the path (empty: no file), or why
  /// there is none; that one is tried again after `retry` seconds, until the next is due. `now`:
  /// Unix seconds.
  std::optional<Result<std::string>> step(double now, const Make& make);

 private:
  Options options_;
  ReportFiles files_;
  Schedule schedule_;
  std::optional<Period> pending_;
  double retry_at_ = 0;
};

}  // namespace nz::report
