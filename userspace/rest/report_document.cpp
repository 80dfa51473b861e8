#include "userspace/rest/report_document.h"

#include <utility>

#include "userspace/report/report.h"

namespace nz::rest {
namespace {

constexpr double kEventsBefore = 600;  // seconds: what happened then may explain a change

class SourceData : public report::Data {
 public:
  explicit SourceData(const Source& source) : source_(source) {}
  [[nodiscard]] analysis::Window window(double from, double to) const override {
    return source_.window(from, to);
  }
  [[nodiscard]] std::vector<history::Trend> trends(const history::Selector& selector, double from,
                                                   double to, double step) const override {
    return source_.trends(selector, from, to, step);
  }
  [[nodiscard]] double oldest() const override { return source_.oldest(); }
  [[nodiscard]] double resolution() const override { return source_.history().resolution(); }

 private:
  const Source& source_;
};

}  // namespace

report::Document report_document(const Source& source, const View& view, const std::string& title,
                                 const Range& range, const report::Compare& compare) {
  const SourceData data(source);
  report::Input input = report::gather(data, range.from, range.to, compare);
  input.title = title;
  input.created = view.at;
  input.findings = view.findings;
  if (view.details) input.details = *view.details;
  for (const Unattached& u : view.unattached)
    input.unattached.push_back({u.probe, u.target, u.reason});
  input.points_evicted = source.history().evicted();
  if (view.extras) input.extras = *view.extras;
  // The agent has the newest in memory; what a report of last week is about is on disk.
  auto kept = source.events(range.from - kEventsBefore, range.to);
  if (kept && !kept->empty()) input.extras.events = std::move(*kept);
  return report::make_report(input);
}

}  // namespace nz::rest
