#include <algorithm>
#include <set>

#include "userspace/rest/answers.h"
#include "userspace/rest/page.h"
#include "userspace/rest/query.h"
#include "userspace/rest/render.h"

namespace nz::rest {
namespace {

constexpr double kFindingsRange = 3600;

bool any_of(const std::vector<std::string>& wanted, const char* name) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
}

// It was there at some time in the range.
bool overlaps(const analysis::Finding& f, const Range& range) {
  return f.since <= range.to && (f.until == 0 || f.until >= range.from);
}

}  // namespace

http::Response bottlenecks_answer(const Source& source, const View& view,
                                  const http::Request& request) {
  Query query(request, {"severity", "state", "target", "from", "to", "limit", "cursor"}, view.at);
  const auto severities = query.words("severity", {"info", "warning", "critical"});
  const auto states = query.words("state", {"open", "ongoing", "resolved"});
  const auto target = query.text("target");
  const Range range = query.range(kFindingsRange);
  const PageRequest page_request = query.page();
  if (!query.ok()) return query.refusal();

  std::vector<const analysis::Finding*> found;
  for (const analysis::Finding& f : view.findings) found.push_back(&f);
  std::erase_if(found, [&](const analysis::Finding* f) {
    return !any_of(severities, name_of(f->severity)) || !any_of(states, name_of(f->state)) ||
           (target && f->target != *target) || !overlaps(*f, range);
  });
  std::vector<std::string> keys;
  for (const analysis::Finding* f : found) keys.push_back(f->id);
  const Page page = page_of(keys, page_request);
  Json rows = Json::array();
  for (std::size_t i = page.begin; i < page.end; i++) rows.push_back(finding_json(*found[i]));
  return json_answer(dumped({{"range", range_json(range.from, range.to)},
                             {"completeness", completeness(source, view, range.from, range.to)},
                             {"units",
                              {{"time", "RFC 3339, UTC"},
                               {"impact", "ratio of the order path's time"},
                               {"impact_seconds", "seconds of one order"},
                               {"confidence", "ratio"},
                               {"evidence", "unit of each"}}},
                             {"page", to_json(page)},
                             {"bottlenecks", std::move(rows)}}));
}

}  // namespace nz::rest
