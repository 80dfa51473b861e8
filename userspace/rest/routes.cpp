#include "userspace/rest/routes.h"

#include <utility>

#include "userspace/rest/answer_cache.h"
#include "userspace/rest/answers.h"

namespace nz::rest {
namespace {

using http::Request;
using http::Response;

// Handlers run on the server's only thread: what they alone share needs no lock.
struct Shared {
  const Source& source;
  std::shared_ptr<ReportStore> reports;
  AnswerCache cache;
};

Response starting(const Request& request) {
  Response response = http::problem(
      503, "The agent is starting: no drain has been made yet; ask again in a second.",
      request.path);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

// What every answer gets: the view, or a 503.
template <class Answer>
http::Handler handler(const std::shared_ptr<Shared>& shared, Answer answer) {
  return [shared, answer](const Request& request) {
    const auto view = shared->source.view();
    return view ? answer(*shared, *view, request) : starting(request);
  };
}

using Answer = Response (*)(const Source&, const View&, const Request&);
http::Handler cached(const std::shared_ptr<Shared>& shared, Answer answer) {
  return handler(shared, [answer](Shared& s, const View& view, const Request& request) {
    return unless_known(request, s.cache.answer(view.generation, request,
                                                [&] { return answer(s.source, view, request); }));
  });
}

using ReportAnswer = Response (*)(const ReportStore&, const View&, const Request&);
http::Handler tagged(const std::shared_ptr<Shared>& shared, ReportAnswer answer) {
  return handler(shared, [answer](Shared& s, const View& view, const Request& request) {
    Response response = answer(*s.reports, view, request);
    if (response.status == 200) tag(response);
    return unless_known(request, std::move(response));
  });
}

}  // namespace

Response json_answer(std::string body) {
  Response response;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

std::vector<http::Route> routes(const Source& source, std::shared_ptr<ReportStore> reports) {
  if (!reports) reports = std::make_shared<ReportStore>();
  const std::shared_ptr<Shared> shared(new Shared{source, std::move(reports), {}});
  return {{"GET", "/performance/metrics", cached(shared, metrics_answer)},
          {"GET", "/performance/trends", cached(shared, trends_answer)},
          {"GET", "/performance/bottlenecks", cached(shared, bottlenecks_answer)},
          {"GET", "/performance/profile", cached(shared, profile_answer)},
          {"GET", "/performance/reports", tagged(shared, reports_answer)},
          {"GET", "/performance/reports/{id}", tagged(shared, report_answer)},
          {"POST", "/performance/reports",
           handler(shared, [](Shared& s, const View& view, const Request& request) {
             return new_report_answer(*s.reports, s.source, view, request);
           })}};
}

}  // namespace nz::rest
