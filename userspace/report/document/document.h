// A report as what it says, apart from how it is written: sections of paragraphs, tables and
// charts. HTML, Markdown and JSON are made of the same document.
//
// Texts of the outside world (SQL, commands, names of functions and hosts) come in unchanged; the
// writers escape everything they write, and show what has no shape (escape.h).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "userspace/history/history.h"

namespace nz::report {

/// How good or bad something is; writers choose colours, and say it in words too.
enum class Tone { none, good, warn, bad, quiet };

struct Span {
  enum class Kind { plain, code, strong };
  Kind kind = Kind::plain;
  std::string text;
};

/// Prose with pieces of code in it.
class Text {
 public:
  Text() = default;
  Text(std::string plain) { this->plain(std::move(plain)); }  // NOLINT: cells are made of strings
  Text(const char* plain) : Text(std::string(plain)) {}       // NOLINT
  Text& plain(std::string text) { return add(Span::Kind::plain, std::move(text)); }
  Text& code(std::string text) { return add(Span::Kind::code, std::move(text)); }
  Text& strong(std::string text) { return add(Span::Kind::strong, std::move(text)); }
  Text& append(const Text& other);

  [[nodiscard]] const std::vector<Span>& spans() const { return spans_; }
  [[nodiscard]] bool empty() const { return spans_.empty(); }
  /// All of it without marks.
  [[nodiscard]] std::string str() const;

 private:
  Text& add(Span::Kind kind, std::string text);
  std::vector<Span> spans_;
};

/// What stands out as code: a command, a statement, a name.
inline Text code(std::string text) { return std::move(Text().code(std::move(text))); }

struct Paragraph {
  Text text;
  Tone tone = Tone::none;
};

struct Bullets {
  bool numbered = false;
  std::vector<Text> items;
};

struct Column {
  std::string title;
  bool figures = false;  ///< aligned to the right
};
struct Cell {
  Text text;
  Tone tone = Tone::none;
};
struct Table {
  std::string title;  ///< may be empty
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;  ///< a cell for each column
  std::string note;                     ///< below it: "12 more rows are left out"
};

/// Text with its own lines, shown as it is: a statement, a plan.
struct Verbatim {
  std::string title;
  std::string text;
};

/// One finding, statement or regression with all that belongs to it.
struct Card {
  Text title;
  Tone tone = Tone::none;
  std::vector<std::string> badges;  ///< a word or two each: "critical", "goes on"
  std::vector<Text> paragraphs;
  Table table;  ///< none where it has no rows
  std::vector<Verbatim> verbatim;
  Text action;  ///< what to do
};

struct Line {
  std::string name;
  std::vector<history::Point> points;  ///< ascending in time; NaN: a gap
  bool reference = false;              ///< what it is compared with: drawn behind, dashed
};
/// A moment in a chart: when a finding began, a restart.
struct Mark {
  double at = 0;  ///< Unix seconds
  std::string text;
};
struct LineChart {
  std::string title, unit;  ///< unit as analysis::figure_text() knows it
  double from = 0, to = 0;  ///< Unix seconds
  std::vector<Line> lines;  ///< at most kMostLines are drawn in colours of their own
  std::vector<Mark> marks;  ///< numbered in the picture, told below it
  std::optional<double> limit;
};

struct Part {
  std::string name;
  double value = 0;
};
/// One bar of parts; its length is its total.
struct ShareBar {
  std::string label;
  std::vector<Part> parts;
  bool reference = false;
};
struct ShareBars {
  std::string title, unit;
  std::vector<ShareBar> bars;  ///< on one scale
};

/// How often which latency was met: shares of all values between two boundaries.
struct Band {
  double low = 0, high = 0;  ///< seconds
  double share = 0;          ///< 0..1
};
struct Distribution {
  std::string title;
  std::vector<Band> now, before;  ///< ascending; before may be empty
};

/// Charts beside each other where there is room.
struct Charts {
  std::vector<LineChart> charts;
};

using Block =
    std::variant<Paragraph, Bullets, Table, Verbatim, Card, Charts, ShareBars, Distribution>;

struct Section {
  std::string id;  ///< of letters and dashes, once in a document
  std::string title;
  std::vector<Block> blocks;
};

/// What the eye falls upon first.
struct KeyFigure {
  std::string label, value;
  std::string change;  ///< against the time before; may be empty
  Tone tone = Tone::none;
};

struct Document {
  std::string title, subtitle;
  double created = 0, from = 0, to = 0;  ///< Unix seconds
  Tone verdict = Tone::none;
  std::string headline;  ///< one sentence
  std::vector<KeyFigure> figures;
  std::vector<Section> sections;
};

/// At most `most` points that show the same picture: of each stretch the least and the largest, and
/// a gap where a whole stretch has no value.
std::vector<history::Point> thinned(const std::vector<history::Point>& points, std::size_t most);

}  // namespace nz::report
