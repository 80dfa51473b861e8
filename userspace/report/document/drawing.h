// Elements of SVG as text; coordinates are those of the picture, a tenth is exact enough.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "userspace/report/document/escape.h"

namespace nz::report {

/// Size of a picture, and the edges of the plot in it.
struct Frame {
  double width = 0, height = 0;
  double left = 0, right = 0, top = 0, bottom = 0;
};

/// Grows to the svg element; `name` is what a screen reader says.
class Drawing {
 public:
  Drawing(double width, double height, std::string_view name)
      : text_(fmt::format("<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" "
                          "aria-label=\"{}\" preserveAspectRatio=\"xMidYMid meet\">",
                          width, height, html_text(name))) {}
  void line(double x1, double y1, double x2, double y2, std::string_view css) {
    text_ +=
        fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>",
                    css, x1, y1, x2, y2);
  }
  /// `anchor`: "start", "middle" or "end".
  void text(double x, double y, std::string_view anchor, std::string_view what,
            std::string_view css = "t") {
    text_ +=
        fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>",
                    css, x, y, anchor, html_text(what));
  }
  /// With `title`, what a pointer over it shows.
  void rectangle(double x, double y, double width, double height, std::string_view css,
                 std::string_view title = "") {
    text_ += fmt::format(
        "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"", css, x,
        y, width, height);
    text_ += title.empty() ? "/>" : fmt::format("><title>{}</title></rect>", html_text(title));
  }
  void path(std::string_view commands, std::string_view css) {
    if (!commands.empty()) text_ += fmt::format("<path class=\"{}\" d=\"{}\"/>", css, commands);
  }
  std::string take() { return std::move(text_) + "</svg>"; }

 private:
  std::string text_;
};

}  // namespace nz::report
