#include "userspace/rest/report_maker.h"

#include "userspace/report/document/writers.h"
#include "userspace/rest/render.h"
#include "userspace/rest/report_document.h"
#include "userspace/rest/time.h"

namespace nz::rest {
namespace {

// So many a report holds, those that did something first dropped last: figures below 500 KB.
constexpr std::size_t kMostSeries = 1000, kMostStatements = 200, kMostFunctions = 100;

bool idle(const analysis::WindowSeries& s, metrics::Type type) {
  return type == metrics::Type::gauge ? s.least == 0 && s.most == 0
         : s.histogram                ? s.histogram->count() == 0
                                      : s.change == 0;
}

Json metrics_json(const analysis::Window& window, const View& view, std::size_t& left_out) {
  Json rows = Json::array();
  left_out = 0;
  const TypeOf type = types_of(view);
  for (const auto& series : window.series) {
    if (idle(series, type(series))) continue;
    if (rows.size() == kMostSeries) {
      left_out++;
      continue;
    }
    rows.push_back(series_json(series, type(series), window.seconds()));
  }
  return rows;
}

void write_forms(const report::Document& document, Report& report) {
  report.document = to_json(document);
  report.html = to_html(document);
  report.markdown = to_markdown(document);
}

}  // namespace

std::shared_ptr<const Report> compose_report(const Source& source, const View& view, std::string id,
                                             std::string title, const Range& range,
                                             const report::Compare& compare) {
  auto report = std::make_shared<Report>();
  const auto window = source.window(range.from, range.to);
  report->id = std::move(id);
  write_forms(report_document(source, view, title, range, compare), *report);
  report->title = title.empty() ? "Performance until " + format_time(range.to) : std::move(title);
  report->created = view.at;
  report->from = window.from;
  report->to = window.to;
  Json findings = Json::array();
  for (const analysis::Finding& f : view.findings) {
    if (f.since <= range.to && (f.until == 0 || f.until >= range.from))
      findings.push_back(finding_json(f));
  }
  report->findings = findings.size();
  Json statements = Json::array();
  Json functions = Json::array();
  if (view.details) {
    for (const auto& s : view.details->slow_statements) {
      if (s.at >= range.from && s.at <= range.to && statements.size() < kMostStatements)
        statements.push_back(slow_statement_json(s));
    }
    for (const auto& f : view.details->hot_functions) {
      if (functions.size() < kMostFunctions) functions.push_back(hot_function_json(f));
    }
  }
  Json missing = completeness(source, view, window, range.from);
  report->complete = missing["complete"];
  std::size_t left_out = 0;
  Json metrics = metrics_json(window, view, left_out);
  report->body = dumped({{"id", report->id},
                         {"title", report->title},
                         {"created", format_time(report->created)},
                         {"range", range_json(report->from, report->to)},
                         {"completeness", std::move(missing)},
                         {"units",
                          {{"time", "RFC 3339, UTC"},
                           {"metrics", "unit and rate_unit of each series"},
                           {"impact", "ratio of the order path's time"},
                           {"slow_statements", "seconds"},
                           {"hot_functions", "ratio of the target's samples"}}},
                         {"metrics", std::move(metrics)},
                         {"metrics_left_out", left_out},
                         {"bottlenecks", std::move(findings)},
                         {"slow_statements", std::move(statements)},
                         {"hot_functions", std::move(functions)}});
  report->bytes =
      report->body.size() + report->document.size() + report->html.size() + report->markdown.size();
  return report;
}

}  // namespace nz::rest
