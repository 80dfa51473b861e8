#include "userspace/analyze/changes.h"

#include <fmt/format.h>

#include <algorithm>

#include "userspace/analyze/figures.h"
#include "userspace/analyze/order.h"
#include "userspace/cli/table.h"

namespace nz::analyze {

std::vector<Change> find_changes(const CsvSeries& csv) {
  const Ordered ordered(csv);
  const Even values = even(ordered.series());
  const auto place = [&](std::size_t i) {
    return ordered.in_file(values.point[std::min(i, values.point.size() - 1)]);
  };
  std::vector<Change> changes;
  for (const analysis::ChangePoint& c : analysis::change_points(values.value)) {
    changes.push_back({place(c.index), place(c.earliest), place(c.latest), c.before, c.after,
                       c.size, c.confidence});
  }
  return changes;
}

std::string changes_json(const CsvSeries& csv, const std::vector<Change>& changes) {
  const auto time = [&](std::size_t i) { return json_time(csv.times, csv.series.at[i]); };
  std::string text =
      fmt::format("{{\n  \"file\": {},\n  \"column\": {},\n  \"points\": {},\n",
                  json_text(csv.name), json_text(csv.value_name), csv.series.at.size());
  text += "  \"indices\": [";
  for (std::size_t i = 0; i < changes.size(); i++)
    text += (i == 0 ? "" : ", ") + std::to_string(changes[i].index);
  text += "],\n  \"changes\": [";
  for (std::size_t i = 0; i < changes.size(); i++) {
    const Change& c = changes[i];
    text += fmt::format(
        "{}\n    {{\"index\": {}, \"time\": {}, \"size\": {}, \"before\": {}, \"after\": {}, "
        "\"confidence\": {}, \"earliest\": {}, \"latest\": {}}}",
        i == 0 ? "" : ",", c.index, time(c.index), json_number(c.size), json_number(c.before),
        json_number(c.after), json_number(c.confidence), time(c.earliest), time(c.latest));
  }
  return text + (changes.empty() ? "]\n}\n" : "\n  ]\n}\n");
}

std::string change_table(const CsvSeries& csv, const std::vector<Change>& changes,
                         std::size_t width) {
  using cli::Table;
  const auto time = [&](std::size_t i) { return csv.times.readable(csv.series.at[i]); };
  Table table({{"WHEN"},
               {"INDEX", Table::Align::right},
               {"BEFORE", Table::Align::right},
               {"AFTER", Table::Align::right},
               {"CHANGE", Table::Align::right},
               {"SURE", Table::Align::right},
               {"BETWEEN"}});
  for (const Change& c : changes) {
    table.add({time(c.index), std::to_string(c.index), cell(c.before), cell(c.after),
               change_cell(c.size), fmt::format("{:.2f} %", 100 * c.confidence),
               time(c.earliest) + " .. " + time(c.latest)});
  }
  const auto [first, last] = std::minmax_element(csv.series.at.begin(), csv.series.at.end());
  return (table.empty() ? "" : table.text(width) + "\n") +
         fmt::format("{} {} from {} to {}: {} {}\n", csv.series.at.size(),
                     csv.series.at.size() == 1 ? "point" : "points", csv.times.readable(*first),
                     csv.times.readable(*last), changes.size(),
                     changes.size() == 1 ? "change" : "changes");
}

}  // namespace nz::analyze
