#include "userspace/report/scheduled_reports.h"

#include "userspace/report/document/writers.h"

namespace nz::report {
namespace {

std::string written_as(const Document& document, const std::string& format) {
  return format == "html" ? to_html(document)
         : format == "md" ? to_markdown(document)
                          : to_json(document);
}

}  // namespace

ScheduledReports::ScheduledReports(const Options& options, double now)
    : options_(options),
      files_(options.directory, options.format, options.keep),
      schedule_({.every = options.every, .offset = options.offset}, files_.newest(), now) {}

std::optional<Result<std::string>> ScheduledReports::step(double now, const Make& make) {
  if (const auto due = schedule_.due(now)) {
    pending_ = due;
    retry_at_ = now;
  }
  if (!pending_ || now < retry_at_) return std::nullopt;
  auto path = files_.write(pending_->to, written_as(make(*pending_), options_.format));
  if (path) {
    pending_.reset();
  } else {
    retry_at_ = now + options_.retry;
  }
  return path;
}

}  // namespace nz::report
