#include <fmt/format.h>

#include "userspace/rest/answers.h"
#include "userspace/rest/page.h"
#include "userspace/rest/query.h"
#include "userspace/rest/render.h"
#include "userspace/rest/report_maker.h"
#include "userspace/rest/time.h"

namespace nz::rest {
namespace {

constexpr double kReportWindow = 900;
constexpr std::size_t kLongestTitle = 200;

Json entry_json(const Report& report) {
  return {{"id", report.id},
          {"title", report.title},
          {"created", format_time(report.created)},
          {"range", range_json(report.from, report.to)},
          {"complete", report.complete},
          {"bottlenecks", report.findings},
          {"bytes", report.bytes},
          {"href", "/performance/reports/" + report.id}};
}

// The members of the body as parameters, so that they are read as those of a query are.
http::Request as_query(const http::Request& request, const nlohmann::json& body) {
  http::Request query = request;
  for (const auto& [name, value] : body.items()) {
    query.query_params.emplace_back(
        name, value.is_string()
                  ? value.get<std::string>()
                  : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  return query;
}

// What it says, in one of its forms. A page that should ever hold a script must not run it.
http::Response document_answer(const Report& report, const std::string& format) {
  http::Response response;
  if (format == "html") {
    response.content_type = "text/html; charset=utf-8";
    response.body = report.html;
    response.headers.emplace_back("Content-Security-Policy",
                                  "default-src 'none'; style-src 'unsafe-inline'; "
                                  "frame-ancestors 'none'; form-action 'none'");
  } else if (format == "markdown") {
    response.content_type = "text/markdown; charset=utf-8";
    response.body = report.markdown;
  } else {
    response.content_type = "application/json";
    response.body = report.document;
  }
  return response;
}

bool is_json(const http::Request& request) {
  const std::string type = request.header("Content-Type");
  return type == "application/json" || type.starts_with("application/json;");
}

}  // namespace

http::Response reports_answer(const ReportStore& store, const View& view,
                              const http::Request& request) {
  Query query(request, {"limit", "cursor"}, view.at);
  const PageRequest page_request = query.page();
  if (!query.ok()) return query.refusal();
  const auto reports = store.list();
  std::vector<std::string> keys;
  for (const auto& report : reports) keys.push_back(report->id);
  const Page page = page_of(keys, page_request);
  Json rows = Json::array();
  for (std::size_t i = page.begin; i < page.end; i++) rows.push_back(entry_json(*reports[i]));
  return json_answer(dumped({{"units", {{"time", "RFC 3339, UTC"}, {"bytes", "bytes"}}},
                             {"page", to_json(page)},
                             {"reports", std::move(rows)}}));
}

http::Response report_answer(const ReportStore& store, const View& view,
                             const http::Request& request) {
  Query query(request, {"format"}, view.at);
  const auto formats = query.words("format", {"json", "document", "html", "markdown"});
  if (formats.size() > 1) query.mistake("format", "there are several", "give one of them");
  if (!query.ok()) return query.refusal();
  const auto report = store.find(request.path_param("id"));
  if (report && (formats.empty() || formats[0] == "json")) return json_answer(report->body);
  if (report) return document_answer(*report, formats[0]);
  std::vector<std::string> ids;
  for (const auto& known : store.list()) ids.push_back(known->id);
  return http::problem(404, "There is no such report; the oldest go. Known: " + listed(ids) + ".",
                       request.path);
}

http::Response new_report_answer(ReportStore& store, const Source& source, const View& view,
                                 const http::Request& request) {
  if (!request.body.empty() && !is_json(request))
    return http::problem(415, "Send the body as Content-Type: application/json.", request.path);
  const auto body = request.body.empty() ? nlohmann::json::object()
                                         : nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object())
    return http::problem(400, "The body is no JSON object; send for example {\"window\": \"15m\"}.",
                         request.path);
  const http::Request as_asked = as_query(request, body);
  Query query(as_asked, {"title", "window", "from", "to", "compare"}, view.at);
  const std::string title = query.text("title").value_or("");
  if (title.size() > kLongestTitle)
    query.mistake("title", "it is too long", fmt::format("give at most {} bytes", kLongestTitle));
  if (query.text("window") && (query.text("from") || query.text("to")))
    query.mistake("window", "there are `from` and `to` too", "give one or the other");
  const double window =
      query.seconds("window", kReportWindow, source.history().resolution(), 366 * 86400.0);
  const Range range = query.range(window);
  const auto compare = report::parse_compare(query.text("compare").value_or("previous"));
  if (!compare) query.mistake("compare", "it is none of what it may be", report::kCompareRemedy);
  if (!query.ok()) return query.refusal();
  const auto report = compose_report(source, view, store.next_id(view.at), title, range, *compare);
  if (!(report->to > report->from))
    return http::problem(409,
                         "History has no two points in this range; ask for a later or longer one.",
                         request.path);
  store.put(report);
  http::Response response = json_answer(report->body);
  response.status = 201;
  response.headers.emplace_back("Location", "/performance/reports/" + report->id);
  return response;
}

}  // namespace nz::rest
