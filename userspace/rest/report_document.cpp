#include "userspace/rest/report_document.h"

#include "userspace/report/report.h"

namespace nz::rest {

report::Document report_document(const Source& source, const View& view, const std::string& title,
                                 const Range& range, const report::Compare& compare) {
  const report::MemoryData data(source.history());
  report::Input input = report::gather(data, range.from, range.to, compare);
  input.title = title;
  input.created = view.at;
  input.findings = view.findings;
  if (view.details) input.details = *view.details;
  for (const Unattached& u : view.unattached)
    input.unattached.push_back({u.probe, u.target, u.reason});
  input.points_evicted = source.history().evicted();
  if (view.extras) input.extras = *view.extras;
  return report::make_report(input);
}

}  // namespace nz::rest
