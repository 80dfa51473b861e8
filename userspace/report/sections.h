// The parts of a report; each is a file of its name. A part that has nothing to tell leaves its
// section out, or says that there is nothing where a reader would ask.
#pragma once

#include <optional>

#include "userspace/report/document/document.h"
#include "userspace/report/facts.h"

namespace nz::report {

/// Verdict, headline and key figures into the document, and the section that says it in words.
Section summary_section(const Facts& facts, Document& document);
/// What to do, by expected gain.
std::optional<Section> recommendations_section(const Facts& facts);
/// Throughput and quantiles by stage.
std::optional<Section> order_path_section(const Facts& facts);
/// What the time of an order went to.
std::optional<Section> attribution_section(const Facts& facts);
Section bottlenecks_section(const Facts& facts);
std::optional<Section> statements_section(const Facts& facts);
std::optional<Section> functions_section(const Facts& facts);
std::optional<Section> trends_section(const Facts& facts);
std::optional<Section> regressions_section(const Facts& facts);
std::optional<Section> alerts_section(const Facts& facts);
std::optional<Section> resources_section(const Facts& facts);
Section completeness_section(const Facts& facts);

/// The hour in which the range ends against what is usual for it; nothing where that is not known,
/// or the range ended long before.
std::optional<Table> usual_table(const Facts& facts);
/// Where findings and events of a target (and the host) lie in a chart; of all where it is empty.
std::vector<Mark> marks_of(const Facts& facts, const std::string& target);
/// "Quantities before and now" as a chart; nothing where there is no trend of it.
std::optional<LineChart> chart_of(const Facts& facts, const std::string& title,
                                  const std::vector<std::pair<std::string, const TrendLine*>>& of,
                                  const std::vector<Mark>& marks);

}  // namespace nz::report
