#include "userspace/agent/reports.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "userspace/report/gather.h"
#include "userspace/rest/report_maker.h"

namespace nz::agent {
namespace {

double seconds(std::chrono::milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

// "daily-20261127T000000Z": made again, a report takes the place of the one before.
std::string id_of(const std::string& schedule, double to) {
  return schedule + "-" + report::stamp_of(to);
}

std::optional<double> newest_of(const std::string& schedule, const rest::ReportStore& kept) {
  std::optional<double> newest;
  for (const auto& report : kept.list()) {
    if (!report->id.starts_with(schedule + "-")) continue;
    const auto to = report::parse_stamp(std::string_view(report->id).substr(schedule.size() + 1));
    if (to && (!newest || *to > *newest)) newest = to;
  }
  return newest;
}

}  // namespace

Reports::Reports(const rest::Source& source, std::shared_ptr<rest::ReportStore> kept)
    : source_(source), kept_(std::move(kept)) {}

void Reports::configure(const config::Reports& config) {
  const std::lock_guard lock(mutex_);
  wanted_ = config;
  changed_ = true;
}

// Plans as the configuration wants them now; those that it still wants as they were go on.
void Reports::plan(double now) {
  config::Reports wanted;
  {
    const std::lock_guard lock(mutex_);
    if (!changed_) return;
    changed_ = false;
    wanted = wanted_;
    std::erase_if(told_, [&](const auto& told) {
      return std::none_of(wanted.schedule.begin(), wanted.schedule.end(),
                          [&](const auto& schedule) { return schedule.name == told.first; });
    });
  }
  std::vector<Plan> plans;
  for (const config::ReportSchedule& schedule : wanted.schedule) {
    const std::string directory =
        wanted.folder.empty() ? std::string() : wanted.folder + "/" + schedule.name;
    const auto same = std::find_if(plans_.begin(), plans_.end(), [&](const Plan& plan) {
      return plan.due && plan.schedule == schedule && plan.directory == directory &&
             plan.keep == wanted.keep;
    });
    if (same != plans_.end()) {
      plans.push_back(std::move(*same));
      continue;
    }
    report::ScheduledReports::Options options;
    options.every = seconds(schedule.every);
    options.offset = seconds(schedule.offset);
    options.directory = directory;
    options.keep = wanted.keep;
    options.format = schedule.format;
    plans.push_back(
        {schedule,
         std::make_unique<report::ScheduledReports>(options, now, newest_of(schedule.name, *kept_)),
         directory, wanted.keep});
  }
  plans_ = std::move(plans);
}

void Reports::step(double now) {
  if (!source_.view()) return;  // nothing was drained yet
  plan(now);
  for (Plan& plan : plans_) {
    try {
      step(plan, now);
    } catch (const std::exception& e) {
      const std::lock_guard lock(mutex_);
      make_errors_++;
      spdlog::error("the report of schedule {} failed, it is tried again: {}", plan.schedule.name,
                    e.what());
    }
  }
}

void Reports::step(Plan& plan, double now) {
  const auto path =
      plan.due->step(now, [&](const report::Period& period) { return make(plan, period); });
  if (!path) return;
  if (!*path) {
    const std::lock_guard lock(mutex_);
    file_errors_++;
    spdlog::warn("the report of schedule {} is in no file, it is tried again: {}",
                 plan.schedule.name, path->error().text());
  } else if (!(*path)->empty()) {
    spdlog::info("report {}", **path);
  }
}

std::string Reports::make(const Plan& plan, const report::Period& period) {
  const auto view = source_.view();
  const config::ReportSchedule& schedule = plan.schedule;
  const auto compare = report::parse_compare(schedule.compare).value_or(report::Compare{});
  const auto report = rest::compose_report(source_, *view, id_of(schedule.name, period.to),
                                           schedule.title, {period.from, period.to}, compare);
  if (!(report->to > report->from)) {
    spdlog::info("no report of schedule {} until {}: history has nothing of that time",
                 schedule.name, report::stamp_of(period.to));
    return {};
  }
  kept_->put(report);
  {
    const std::lock_guard lock(mutex_);
    auto told = std::find_if(told_.begin(), told_.end(),
                             [&](const auto& one) { return one.first == schedule.name; });
    if (told == told_.end()) told = told_.emplace(told_.end(), schedule.name, Told{});
    told->second.made++;
    told->second.newest = period.to;
  }
  return schedule.format == "html" ? report->html
         : schedule.format == "md" ? report->markdown
                                   : report->document;
}

void Reports::collect(std::vector<metrics::Family>& out, std::uint64_t archive_errors) const {
  const std::lock_guard lock(mutex_);
  metrics::Family made{"nearzero_scheduled_reports_total",
                       "Reports that were made because their time had come.",
                       metrics::Type::counter,
                       {}};
  metrics::Family newest{"nearzero_scheduled_report_timestamp_seconds",
                         "End of the period of the newest report since the start.",
                         metrics::Type::gauge,
                         {}};
  for (const auto& [schedule, told] : told_) {
    const metrics::Labels labels{{"schedule", schedule}};
    made.samples.push_back({labels, static_cast<double>(told.made), nullptr});
    newest.samples.push_back({labels, told.newest, nullptr});
  }
  out.push_back(std::move(made));
  out.push_back(std::move(newest));
  out.push_back({"nearzero_report_errors_total",
                 "Reports that could not be made or written, which is tried again, or kept.",
                 metrics::Type::counter,
                 {{{{"kind", "make"}}, static_cast<double>(make_errors_), nullptr},
                  {{{"kind", "file"}}, static_cast<double>(file_errors_), nullptr},
                  {{{"kind", "archive"}}, static_cast<double>(archive_errors), nullptr}}});
}

}  // namespace nz::agent
