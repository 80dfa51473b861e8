#include <cmath>
#include <nlohmann/json.hpp>

#include "userspace/report/document/words.h"
#include "userspace/report/document/writers.h"

namespace nz::report {
namespace {

using Json = nlohmann::ordered_json;

// RFC 3339, whole seconds.
std::string iso(double unix_seconds) {
  std::string text = time_text(unix_seconds);
  text[10] = 'T';
  return text.substr(0, 19) + "Z";
}

// What is no number has none in JSON.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json points_json(const std::vector<history::Point>& points) {
  Json all = Json::array();
  for (const history::Point& p : points)
    all.push_back({std::round(p.at * 1e3) / 1e3, number(p.value)});
  return all;
}

Json table_json(const Table& t) {
  Json columns = Json::array();
  for (const Column& c : t.columns) columns.push_back(c.title);
  Json rows = Json::array();
  for (const auto& row : t.rows) {
    Json cells = Json::array();
    for (const Cell& cell : row) cells.push_back(cell.text.str());
    rows.push_back(std::move(cells));
  }
  return {{"type", "table"},
          {"title", t.title},
          {"columns", std::move(columns)},
          {"rows", std::move(rows)},
          {"note", t.note}};
}

Json verbatim_json(const Verbatim& v) {
  return {{"type", "verbatim"}, {"title", v.title}, {"text", v.text}};
}

struct JsonBlock {
  Json operator()(const Paragraph& p) const {
    return {{"type", "paragraph"}, {"text", p.text.str()}};
  }
  Json operator()(const Bullets& b) const {
    Json items = Json::array();
    for (const Text& item : b.items) items.push_back(item.str());
    return {{"type", "list"}, {"numbered", b.numbered}, {"items", std::move(items)}};
  }
  Json operator()(const Table& t) const { return table_json(t); }
  Json operator()(const Verbatim& v) const { return verbatim_json(v); }
  Json operator()(const Card& c) const {
    Json paragraphs = Json::array();
    for (const Text& text : c.paragraphs) paragraphs.push_back(text.str());
    Json verbatim = Json::array();
    for (const Verbatim& v : c.verbatim) verbatim.push_back(verbatim_json(v));
    return {{"type", "card"},
            {"title", c.title.str()},
            {"tone", name_of(c.tone)},
            {"badges", c.badges},
            {"paragraphs", std::move(paragraphs)},
            {"table", c.table.rows.empty() ? Json() : table_json(c.table)},
            {"verbatim", std::move(verbatim)},
            {"action", c.action.str()}};
  }
  Json operator()(const Charts& all) const {
    Json charts = Json::array();
    for (const LineChart& chart : all.charts) {
      Json lines = Json::array();
      for (const Line& line : chart.lines) {
        lines.push_back({{"name", line.name},
                         {"reference", line.reference},
                         {"points", points_json(line.points)}});
      }
      Json marks = Json::array();
      for (const Mark& mark : chart.marks)
        marks.push_back({{"at", iso(mark.at)}, {"text", mark.text}});
      charts.push_back({{"title", chart.title},
                        {"unit", chart.unit},
                        {"lines", std::move(lines)},
                        {"marks", std::move(marks)},
                        {"limit", chart.limit ? number(*chart.limit) : Json()}});
    }
    return {{"type", "charts"}, {"charts", std::move(charts)}};
  }
  Json operator()(const ShareBars& bars) const {
    Json rows = Json::array();
    for (const ShareBar& bar : bars.bars) {
      Json parts = Json::object();
      for (const Part& part : bar.parts) parts[part.name] = number(part.value);
      rows.push_back(
          {{"label", bar.label}, {"reference", bar.reference}, {"parts", std::move(parts)}});
    }
    return {
        {"type", "shares"}, {"title", bars.title}, {"unit", bars.unit}, {"bars", std::move(rows)}};
  }
  Json operator()(const Distribution& d) const {
    const auto bands = [](const std::vector<Band>& all) {
      Json rows = Json::array();
      for (const Band& b : all)
        rows.push_back({{"low", b.low}, {"high", b.high}, {"share", b.share}});
      return rows;
    };
    return {{"type", "distribution"},
            {"title", d.title},
            {"unit", "seconds"},
            {"now", bands(d.now)},
            {"before", bands(d.before)}};
  }
};

}  // namespace

std::string to_json(const Document& document) {
  Json figures = Json::array();
  for (const KeyFigure& f : document.figures) {
    figures.push_back(
        {{"label", f.label}, {"value", f.value}, {"change", f.change}, {"tone", name_of(f.tone)}});
  }
  Json sections = Json::array();
  for (const Section& section : document.sections) {
    Json blocks = Json::array();
    for (const Block& block : section.blocks) blocks.push_back(std::visit(JsonBlock{}, block));
    sections.push_back(
        {{"id", section.id}, {"title", section.title}, {"blocks", std::move(blocks)}});
  }
  const Json all{{"title", document.title},
                 {"subtitle", document.subtitle},
                 {"created", iso(document.created)},
                 {"range", {{"from", iso(document.from)}, {"to", iso(document.to)}}},
                 {"verdict", name_of(document.verdict)},
                 {"headline", document.headline},
                 {"figures", std::move(figures)},
                 {"sections", std::move(sections)}};
  return all.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace nz::report
