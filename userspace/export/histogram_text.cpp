#include "userspace/export/histogram_text.h"

#include <array>
#include <charconv>
#include <cstdint>

#include "analysis/classic_buckets.h"
#include "userspace/export/utf8.h"

namespace nz::exposition {
namespace {

void append_number(std::string& text, std::uint64_t value) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text.append(digits.data(), end);
}

// As prometheus-cpp prints doubles: 16 significant digits.
void append_number(std::string& text, double value) {
  std::array<char, 40> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                 std::chars_format::general, 16)
                       .ptr;
  text.append(digits.data(), end);
}

void append_escaped(std::string& text, std::string_view value) {
  for (const char c : value) {
    switch (c) {
      case '\n':
        text += "\\n";
        break;
      case '\\':
        text += "\\\\";
        break;
      case '"':
        text += "\\\"";
        break;
      default:
        text += c;
    }
  }
}

// What follows a bucket's other labels: le="...".
using LeLabels = std::array<std::string, analysis::kClassicBuckets + 1>;
const LeLabels& le_labels() {
  static const LeLabels table = [] {
    LeLabels t;
    for (std::size_t n = 0; n < analysis::kClassicBuckets; ++n) {
      t[n] = "le=\"";
      append_number(t[n], analysis::classic_bounds()[n]);
      t[n] += "\"} ";
    }
    t.back() = "le=\"+Inf\"} ";
    return t;
  }();
  return table;
}

void append_histogram(std::string& text, const std::string& name, const metrics::Labels& labels,
                      const analysis::Histogram& h) {
  const std::string list = label_list(labels);
  const std::string braced = list.empty() ? " " : "{" + list + "} ";
  const auto cumulative = analysis::classic_cumulative(h);
  text += name + "_count" + braced;
  append_number(text, cumulative.back());
  text += "\n" + name + "_sum" + braced;
  append_number(text, static_cast<double>(h.sum_ns) / 1e9);
  text += '\n';
  const std::string bucket = name + "_bucket{" + list + (list.empty() ? "" : ",");
  for (std::size_t n = 0; n < cumulative.size(); ++n) {
    text += bucket;
    text += le_labels()[n];
    append_number(text, cumulative[n]);
    text += '\n';
  }
}

}  // namespace

std::string label_list(const metrics::Labels& labels) {
  std::string list;
  for (const auto& [name, value] : labels) {
    if (!list.empty()) list += ',';
    list += valid_label_name(name);
    list += "=\"";
    append_escaped(list, valid_utf8(value));
    list += '"';
  }
  return list;
}

std::string help_text(std::string_view help) {
  std::string result;
  for (const char c : valid_utf8(help)) {
    if (c == '\\') {
      result += "\\\\";
    } else if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result;
}

void append_histogram_family(std::string& text, const metrics::Family& family) {
  const std::string name = valid_metric_name(family.name);
  bool any = false;
  for (const metrics::Sample& sample : family.samples) {
    if (sample.histogram == nullptr) continue;
    if (!any) {
      if (!family.help.empty()) text += "# HELP " + name + " " + help_text(family.help) + "\n";
      text += "# TYPE " + name + " histogram\n";
      any = true;
    }
    append_histogram(text, name, sample.labels, *sample.histogram);
  }
}

}  // namespace nz::exposition
