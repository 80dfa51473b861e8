#include "userspace/report/scheduled_reports.h"

#include <algorithm>

namespace nz::report {
namespace {

std::optional<double> newest_of(const ReportFiles& files, bool any, std::optional<double> last) {
  const auto file = any ? files.newest() : std::nullopt;
  if (!file || !last) return file ? file : last;
  return std::max(*file, *last);
}

}  // namespace

ScheduledReports::ScheduledReports(const Options& options, double now, std::optional<double> last)
    : options_(options),
      files_(options.directory, options.format, options.keep),
      schedule_({.every = options.every, .offset = options.offset},
                newest_of(files_, !options.directory.empty(), last), now) {}

std::optional<Result<std::string>> ScheduledReports::step(double now, const Make& make) {
  if (const auto due = schedule_.due(now)) {
    pending_ = due;
    retry_at_ = now;
  }
  if (!pending_ || now < retry_at_) return std::nullopt;
  // Should it throw: later again, not at once.
  retry_at_ = now + options_.retry;
  const std::string text = make(*pending_);
  Result<std::string> path = std::string();
  if (!text.empty() && !options_.directory.empty()) path = files_.write(pending_->to, text);
  if (path) pending_.reset();
  return path;
}

}  // namespace nz::report
