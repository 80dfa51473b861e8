#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "userspace/report/document/escape.h"
#include "userspace/report/document/style.h"
#include "userspace/report/document/svg.h"
#include "userspace/report/document/words.h"
#include "userspace/report/document/writers.h"

namespace nz::report {
namespace {

std::string inline_html(const Text& text) {
  std::string html;
  for (const Span& span : text.spans()) {
    const std::string inside = html_text(span.text);
    html += span.kind == Span::Kind::code     ? "<code>" + inside + "</code>"
            : span.kind == Span::Kind::strong ? "<strong>" + inside + "</strong>"
                                              : inside;
  }
  return html;
}

std::string class_of(Tone tone) {
  return tone == Tone::none ? "" : std::string(" class=\"") + name_of(tone) + "\"";
}

bool same_marks(const std::vector<Mark>& a, const std::vector<Mark>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Mark& x, const Mark& y) { return x.at == y.at && x.text == y.text; });
}

std::string marks_html(const LineChart& chart) {
  if (chart.marks.empty()) return "";
  const Clock clock(chart.from, chart.to);
  std::string html = "<ol class=\"marks\">";
  for (const Mark& mark : chart.marks)
    html += "<li>" + html_text(clock.at(mark.at) + " " + mark.text) + "</li>";
  return html + "</ol>\n";
}

std::string legend(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string html = "<div class=\"legend\">";
  for (const auto& [css, name] : entries)
    html += "<span><i class=\"sw " + css + "\"></i>" + html_text(name) + "</span>";
  return html + "</div>";
}

class HtmlWriter {
 public:
  std::string take() { return std::exchange(html_, {}); }

  void operator()(const Paragraph& p) {
    html_ += "<p" + class_of(p.tone) + ">" + inline_html(p.text) + "</p>\n";
  }
  void operator()(const Bullets& b) {
    const char* tag = b.numbered ? "ol" : "ul";
    html_ += std::string("<") + tag + ">\n";
    for (const Text& item : b.items) html_ += "<li>" + inline_html(item) + "</li>\n";
    html_ += std::string("</") + tag + ">\n";
  }
  void operator()(const Table& t) {
    html_ += "<div class=\"scroll\"><table>";
    if (!t.title.empty()) html_ += "<caption>" + html_text(t.title) + "</caption>";
    html_ += "<thead><tr>";
    for (const Column& c : t.columns)
      html_ += (c.figures ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">") +
               html_text(c.title) + "</th>";
    html_ += "</tr></thead><tbody>\n";
    for (const auto& row : t.rows) {
      html_ += "<tr>";
      for (std::size_t i = 0; i < row.size(); i++) {
        std::string css = i < t.columns.size() && t.columns[i].figures ? "n" : "";
        if (row[i].tone != Tone::none)
          css += std::string(css.empty() ? "" : " ") + name_of(row[i].tone);
        html_ += css.empty() ? "<td>" : "<td class=\"" + css + "\">";
        html_ += inline_html(row[i].text) + "</td>";
      }
      html_ += "</tr>\n";
    }
    html_ += "</tbody></table></div>\n";
    if (!t.note.empty()) html_ += "<p class=\"note\">" + html_text(t.note) + "</p>\n";
  }
  void operator()(const Verbatim& v) {
    if (!v.title.empty()) html_ += "<p class=\"note\">" + html_text(v.title) + "</p>";
    html_ += "<pre>" + html_text(v.text, true) + "</pre>\n";
  }
  void operator()(const Card& c) {
    html_ += std::string("<article class=\"card ") + name_of(c.tone) + "\"><h3>" +
             inline_html(c.title) + "</h3>\n<div>";
    for (const std::string& badge : c.badges)
      html_ += "<span class=\"badge\">" + html_text(badge) + "</span>";
    html_ += "</div>\n";
    for (const Text& text : c.paragraphs) (*this)(Paragraph{text, Tone::none});
    if (!c.table.rows.empty()) (*this)(c.table);
    for (const Verbatim& v : c.verbatim) (*this)(v);
    if (!c.action.empty())
      html_ += "<p class=\"do\"><strong>Do:</strong> " + inline_html(c.action) + "</p>\n";
    html_ += "</article>\n";
  }
  void operator()(const Charts& all) {
    html_ += "<div class=\"charts\">\n";
    const bool same = std::all_of(all.charts.begin(), all.charts.end(), [&](const LineChart& c) {
      return same_marks(c.marks, all.charts.front().marks);
    });
    for (const LineChart& chart : all.charts) {
      html_ += "<figure><figcaption>" + html_text(chart.title) + "</figcaption>";
      std::vector<std::pair<std::string, std::string>> entries;
      std::size_t place = 0;
      for (const Line& line : chart.lines) {
        const std::pair<std::string, std::string> entry(line.reference ? "ref" : line_class(place),
                                                        line.name);
        // Many hosts in grey have one name.
        if (std::find(entries.begin(), entries.end(), entry) == entries.end())
          entries.push_back(entry);
        place += line.reference ? 0 : 1;
      }
      if (entries.size() > 1) html_ += legend(entries);
      html_ += line_chart_svg(chart) + (same ? "" : marks_html(chart)) + "</figure>\n";
    }
    html_ += "</div>\n";
    if (same && !all.charts.empty()) html_ += marks_html(all.charts.front());
  }
  void operator()(const ShareBars& bars) {
    html_ += "<figure class=\"wide\"><figcaption>" + html_text(bars.title) + "</figcaption>";
    std::vector<std::pair<std::string, std::string>> entries;
    std::set<std::string> seen;
    for (const ShareBar& bar : bars.bars) {
      std::size_t place = 0;
      for (const Part& part : bar.parts) {
        if (part.value > 0 && seen.insert(part.name).second)
          entries.emplace_back(part_class(part.name, place), part.name);
        place++;
      }
    }
    html_ += legend(entries) + share_bars_svg(bars) + "</figure>\n";
  }
  void operator()(const Distribution& d) {
    html_ += "<figure class=\"wide\"><figcaption>" + html_text(d.title) + "</figcaption>";
    if (!d.before.empty()) html_ += legend({{"bar", "now"}, {"ref", "before"}});
    html_ += distribution_svg(d) + "</figure>\n";
  }

 private:
  std::string html_;
};

std::string key_figures(const Document& document) {
  if (document.figures.empty()) return "";
  std::string html = "<div class=\"figures\">\n";
  for (const KeyFigure& f : document.figures) {
    html +=
        "<div><span>" + html_text(f.label) + "</span><strong>" + html_text(f.value) + "</strong>";
    if (!f.change.empty()) html += "<em" + class_of(f.tone) + ">" + html_text(f.change) + "</em>";
    html += "</div>\n";
  }
  return html + "</div>\n";
}

}  // namespace

const char* name_of(Tone tone) {
  switch (tone) {
    case Tone::good:
      return "good";
    case Tone::warn:
      return "warn";
    case Tone::bad:
      return "bad";
    case Tone::quiet:
      return "quiet";
    case Tone::none:
      break;
  }
  return "none";
}

const char* verdict_text(Tone tone) {
  return tone == Tone::good   ? "All well"
         : tone == Tone::warn ? "Look into it"
         : tone == Tone::bad  ? "Act now"
                              : "No figures";
}

std::string to_html(const Document& document) {
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<meta name=\"generator\" content=\"nearzero\">\n<title>" +
      html_text(document.title) + "</title>\n<style>" + kStyle +
      "</style>\n</head>\n<body>\n<main>\n<header><h1>" + html_text(document.title) +
      "</h1>\n<p class=\"sub\">" + html_text(document.subtitle) + "</p></header>\n";
  html += std::string("<div class=\"verdict ") + name_of(document.verdict) + "\"><b>" +
          verdict_text(document.verdict) + "</b><p>" + html_text(document.headline) +
          "</p></div>\n" + key_figures(document) + "<nav aria-label=\"Sections\">\n";
  for (const Section& section : document.sections)
    html += "<a href=\"#" + html_text(section.id) + "\">" + html_text(section.title) + "</a>\n";
  html += "</nav>\n";
  HtmlWriter writer;
  for (const Section& section : document.sections) {
    html +=
        "<section id=\"" + html_text(section.id) + "\"><h2>" + html_text(section.title) + "</h2>\n";
    for (const Block& block : section.blocks) std::visit(writer, block);
    html += writer.take() + "</section>\n";
  }
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace nz::report
