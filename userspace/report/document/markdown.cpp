#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "analysis/text.h"
#include "userspace/report/document/escape.h"
#include "userspace/report/document/words.h"
#include "userspace/report/document/writers.h"

namespace nz::report {
namespace {

std::string inline_markdown(const Text& text, bool in_table = false) {
  std::string markdown;
  for (const Span& span : text.spans()) {
    if (span.kind == Span::Kind::code) {
      markdown += markdown_code(span.text, in_table);
      continue;
    }
    // Marks must touch what they mark: blanks go outside.
    const std::string inside = markdown_text(span.text);
    const bool strong = span.kind == Span::Kind::strong;
    const std::size_t end = inside.find_last_not_of(' ');
    if (strong && end != std::string::npos) {
      markdown += "**" + inside.substr(0, end + 1) + "**" + inside.substr(end + 1);
    } else {
      markdown += inside;
    }
  }
  return markdown;
}

// The course of a line in block characters, `width` of them.
std::string course(const std::vector<history::Point>& points, double least, double most) {
  constexpr std::array<std::string_view, 8> kBlocks = {
      "\xE2\x96\x81", "\xE2\x96\x82", "\xE2\x96\x83", "\xE2\x96\x84",
      "\xE2\x96\x85", "\xE2\x96\x86", "\xE2\x96\x87", "\xE2\x96\x88"};
  constexpr std::size_t kWidth = 40;
  const std::size_t width = std::min(kWidth, points.size());
  // Where values lie decades apart, the smaller ones would all be the lowest block.
  const bool log = least > 0 && most / least > 30;
  std::string text;
  for (std::size_t i = 0; i < width; i++) {
    double value = NAN;
    for (std::size_t p = points.size() * i / width; p < points.size() * (i + 1) / width; p++) {
      if (std::isfinite(points[p].value) && !(points[p].value <= value)) value = points[p].value;
    }
    if (!std::isfinite(value)) {
      text += ' ';
      continue;
    }
    double place = 0;
    if (most > least) {
      place =
          log ? std::log(value / least) / std::log(most / least) : (value - least) / (most - least);
      if (!std::isfinite(place)) place = 1;  // the quotient is beyond what a double holds
    }
    text += kBlocks.at(static_cast<std::size_t>(std::lround(std::clamp(place, 0.0, 1.0) * 7)));
  }
  return text;
}

class MarkdownWriter {
 public:
  std::string take() { return std::exchange(text_, {}); }

  void operator()(const Paragraph& p) { text_ += inline_markdown(p.text) + "\n\n"; }
  void operator()(const Bullets& b) {
    std::size_t number = 0;
    for (const Text& item : b.items) {
      number++;
      text_ += (b.numbered ? std::to_string(number) + ". " : "- ") + inline_markdown(item) + "\n";
    }
    text_ += "\n";
  }
  void operator()(const Table& t) {
    if (!t.title.empty()) text_ += "**" + markdown_text(t.title) + "**\n\n";
    std::string rule;
    for (const Column& c : t.columns) {
      text_ += "| " + markdown_text(c.title) + " ";
      rule += c.figures ? "|---:" : "|---";
    }
    text_ += "|\n" + rule + "|\n";
    for (const auto& row : t.rows) {
      for (const Cell& cell : row) text_ += "| " + inline_markdown(cell.text, true) + " ";
      text_ += "|\n";
    }
    text_ += "\n";
    if (!t.note.empty()) text_ += markdown_text(t.note) + "\n\n";
  }
  void operator()(const Verbatim& v) {
    if (!v.title.empty()) text_ += markdown_text(v.title) + ":\n\n";
    text_ += markdown_block(v.text) + "\n";
  }
  void operator()(const Card& c) {
    text_ += "### " + inline_markdown(c.title) + "\n\n";
    if (!c.badges.empty()) {
      std::string badges;
      for (const std::string& badge : c.badges)
        badges += (badges.empty() ? "" : ", ") + markdown_text(badge);
      text_ += "_" + badges + "_\n\n";
    }
    for (const Text& text : c.paragraphs) (*this)(Paragraph{text, Tone::none});
    if (!c.table.rows.empty()) (*this)(c.table);
    for (const Verbatim& v : c.verbatim) (*this)(v);
    if (!c.action.empty()) text_ += "**Do:** " + inline_markdown(c.action) + "\n\n";
  }
  void operator()(const Charts& all) {
    for (const LineChart& chart : all.charts) {
      text_ += "**" + markdown_text(chart.title) + "**\n\n" +
               "| line | least | last | most | course |\n|---|---:|---:|---:|---|\n";
      for (const Line& line : chart.lines) {
        double least = NAN, most = NAN, last = NAN;
        for (const history::Point& p : line.points) {
          if (!std::isfinite(p.value)) continue;
          if (!(p.value >= least)) least = p.value;
          if (!(p.value <= most)) most = p.value;
          last = p.value;
        }
        text_ += "| " + markdown_text(line.name) + " | " + figure_or_dash(least, chart.unit) +
                 " | " + figure_or_dash(last, chart.unit) + " | " +
                 figure_or_dash(most, chart.unit) + " | " + course(line.points, least, most) +
                 " |\n";
      }
      text_ += "\n";
    }
  }
  void operator()(const ShareBars& bars) {
    text_ += "**" + markdown_text(bars.title) + "**\n\n| | all |";
    std::vector<std::string> names;
    for (const ShareBar& bar : bars.bars) {
      for (const Part& part : bar.parts) {
        if (std::find(names.begin(), names.end(), part.name) == names.end())
          names.push_back(part.name);
      }
    }
    std::string rule = "|---|---:|";
    for (const std::string& name : names) {
      text_ += fmt::format(" {} |", markdown_text(name));
      rule += "---:|";
    }
    text_ += "\n" + rule + "\n";
    for (const ShareBar& bar : bars.bars) {
      double sum = 0;
      for (const Part& part : bar.parts) sum += part.value;
      text_ +=
          "| " + markdown_text(bar.label) + " | " + analysis::figure_text(sum, bars.unit) + " |";
      for (const std::string& name : names) {
        const auto part = std::find_if(bar.parts.begin(), bar.parts.end(),
                                       [&](const Part& p) { return p.name == name; });
        text_ += part == bar.parts.end() || !(sum > 0)
                     ? " |"
                     : fmt::format(" {} |", analysis::percent_text(part->value / sum));
      }
      text_ += "\n";
    }
    text_ += "\n";
  }
  void operator()(const Distribution& d) {
    constexpr double kLeast = 0.001;
    text_ += "**" + markdown_text(d.title) + "**\n\n| from | to | now |" +
             (d.before.empty() ? "\n|---:|---:|---:|\n" : " before |\n|---:|---:|---:|---:|\n");
    const auto share = [](const std::vector<Band>& bands, double high) {
      for (const Band& b : bands) {
        if (b.high == high) return b.share;
      }
      return 0.0;
    };
    // Both are on the same boundaries.
    std::vector<Band> all = d.now;
    for (const Band& b : d.before) {
      if (std::none_of(all.begin(), all.end(), [&](const Band& x) { return x.high == b.high; }))
        all.push_back(b);
    }
    std::sort(all.begin(), all.end(), [](const Band& a, const Band& b) { return a.high < b.high; });
    for (const Band& b : all) {
      const double now = share(d.now, b.high), before = share(d.before, b.high);
      if (now < kLeast && before < kLeast) continue;
      text_ += "| " + analysis::seconds_text(b.low) + " | " + analysis::seconds_text(b.high) +
               " | " + analysis::percent_text(now) + " |" +
               (d.before.empty() ? "\n" : fmt::format(" {} |\n", analysis::percent_text(before)));
    }
    text_ += "\n";
  }

 private:
  std::string text_;
};

}  // namespace

std::string to_markdown(const Document& document) {
  std::string text = "# " + markdown_text(document.title) + "\n\n" +
                     markdown_text(document.subtitle) + "\n\n**" + verdict_text(document.verdict) +
                     ": " + markdown_text(document.headline) + "**\n\n";
  for (const KeyFigure& f : document.figures) {
    text += "- " + markdown_text(f.label) + ": " + markdown_text(f.value) +
            (f.change.empty() ? "" : " (" + markdown_text(f.change) + ")") + "\n";
  }
  if (!document.figures.empty()) text += "\n";
  MarkdownWriter writer;
  for (const Section& section : document.sections) {
    text += "## " + markdown_text(section.title) + "\n\n";
    for (const Block& block : section.blocks) std::visit(writer, block);
    text += writer.take();
  }
  return text;
}

}  // namespace nz::report
