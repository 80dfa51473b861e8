#include "userspace/store/export_text.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <iterator>

#include "analysis/classic_buckets.h"
#include "userspace/base/log.h"
#include "userspace/export/histogram_text.h"
#include "userspace/export/utf8.h"
#include "userspace/store/total.h"

namespace nz::store {
namespace {

using metrics::Type;

double seconds(std::int64_t ms) { return static_cast<double>(ms) / 1e3; }

template <class... Arguments>
void append(std::string& out, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Arguments>(arguments)...);
}

std::string quoted(const std::string& text) { return '"' + base::json_escape(text) + '"'; }

// A number of JSON, or a string where JSON has no number.
void append_json(std::string& out, double value) {
  if (std::isfinite(value)) {
    append(out, "{}", value);
  } else {
    out += std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  }
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string cell = "\"";
  for (const char c : text) cell += c == '"' ? std::string("\"\"") : std::string(1, c);
  return cell + '"';
}

analysis::Histogram histogram_of(const Interval& interval, const Cell& cell) {
  Total total;
  total.add(interval, cell);
  return total.histogram();
}

class Csv : public TextWriter {
 public:
  explicit Csv(std::vector<double> quantiles) : quantiles_(std::move(quantiles)) {}
  void begin(std::string& out) override {
    out += kCsvColumns;
    for (const double q : quantiles_) append(out, ",p{:g}", q * 100);
    out += '\n';
  }
  void series(std::string&, const history::Series& series, Level level) override {
    head_ = fmt::format("{},{},{},{},", csv_cell(series.name), csv_cell(labels_json(series.labels)),
                        name_of(series.type), name_of(level));
    none_ = std::string(quantiles_.size(), ',');
  }
  void point(std::string& out, const Interval& interval, const Cell& cell) override {
    out += head_;
    append(out, "{:.3f},{:.3f}", seconds(interval.from), seconds(interval.to));
    switch (cell.type) {
      case Type::counter:
        append(out, ",{},{},,,,,", cell.value, cell.growth);
        out += none_;
        break;
      case Type::gauge:
        append(out, ",{},,{},{},{},,", cell.value, cell.least, cell.most, cell.mean);
        out += none_;
        break;
      case Type::histogram:
        histogram(out, histogram_of(interval, cell));
        break;
    }
    out += '\n';
  }

 private:
  void histogram(std::string& out, const analysis::Histogram& h) {
    if (h.count() == 0) {
      out += ",,,,,,0,0" + none_;
      return;
    }
    append(out, ",,,{},{},{},{},{}", static_cast<double>(h.min_ns) / 1e9,
           static_cast<double>(h.max_ns) / 1e9, h.mean_seconds(), h.count(),
           static_cast<double>(h.sum_ns) / 1e9);
    for (const double q : quantiles_) append(out, ",{}", h.quantile(q));
  }

  const std::vector<double> quantiles_;
  std::string head_, none_;
};

class JsonLines : public TextWriter {
 public:
  void series(std::string&, const history::Series& series, Level level) override {
    head_ =
        fmt::format(R"({{"series":{},"labels":{},"type":"{}","level":"{}")", quoted(series.name),
                    labels_json(series.labels), name_of(series.type), name_of(level));
  }
  void point(std::string& out, const Interval& interval, const Cell& cell) override {
    out += head_;
    append(out, R"(,"from":{:.3f},"to":{:.3f})", seconds(interval.from), seconds(interval.to));
    switch (cell.type) {
      case Type::counter:
        member(out, "value", cell.value);
        member(out, "growth", cell.growth);
        break;
      case Type::gauge:
        member(out, "value", cell.value);
        member(out, "min", cell.least);
        member(out, "max", cell.most);
        member(out, "mean", cell.mean);
        break;
      case Type::histogram:
        histogram(out, cell);
        break;
    }
    out += "}\n";
  }
  void event(std::string& out, const analysis::Event& e) override {
    append(out, R"({{"event":{},"target":{},"at":{:.3f},"text":{}}})", quoted(e.kind),
           quoted(e.target), e.at, quoted(e.text));
    out += '\n';
  }
  [[nodiscard]] bool takes_events() const override { return true; }

 private:
  static void member(std::string& out, const char* name, double value) {
    append(out, ",\"{}\":", name);
    append_json(out, value);
  }
  static void histogram(std::string& out, const Cell& cell) {
    const char* between = "";
    out += ",\"buckets\":[";
    for (const auto& [slot, count] : cell.slots) {
      if (slot >= NZ_BUCKETS) continue;
      append(out, "{}[{},{}]", between, slot, static_cast<std::uint64_t>(count));
      between = ",";
    }
    out += ']';
    constexpr std::array<std::pair<std::size_t, const char*>, 3> kOthers{
        {{history::kZeroSlot, "zero"},
         {history::kOverflowSlot, "overflow"},
         {history::kSumSlot, "sum_ns"}}};
    std::uint64_t least = 0, most = 0;
    for (const auto& [slot, count] : cell.slots) {
      for (const auto& [other, name] : kOthers) {
        if (slot == other) append(out, ",\"{}\":{}", name, static_cast<std::uint64_t>(count));
      }
      if (slot == history::kLeastSlot) least = static_cast<std::uint64_t>(count);
      if (slot == history::kMostSlot) most = static_cast<std::uint64_t>(count);
    }
    if (least != 0) append(out, R"(,"min_ns":{},"max_ns":{})", least - 1, most);
  }

  std::string head_;
};

// Histograms are cumulative from the beginning of what is exported: then they were created, which
// also tells an import that what the first interval holds is all of that interval.
class OpenMetrics : public TextWriter {
 public:
  void series(std::string& out, const history::Series& series, Level) override {
    type_ = series.type;
    std::string name = exposition::valid_metric_name(series.name);
    constexpr std::string_view kTotal = "_total";
    const bool counter = type_ == Type::counter && name.ends_with(kTotal);
    const std::string family = counter ? name.substr(0, name.size() - kTotal.size()) : name;
    if (family != family_) {
      family_ = family;
      append(out, "# TYPE {} {}\n", family,
             counter                    ? "counter"
             : type_ == Type::histogram ? "histogram"
             : type_ == Type::gauge     ? "gauge"
                                        : "unknown");
    }
    name_ = std::move(name);
    labels_ = exposition::label_list(series.labels);
    total_ = {};
  }
  void point(std::string& out, const Interval& interval, const Cell& cell) override {
    const double at = seconds(interval.to);
    if (type_ != Type::histogram) {
      append(out, "{}{} {} {:.3f}\n", name_, braced(), number(cell.value), at);
      return;
    }
    if (!total_.any())
      append(out, "{}_created{} {:.3f} {:.3f}\n", name_, braced(), seconds(interval.from), at);
    total_.add(interval, cell);
    const analysis::Histogram h = total_.histogram();
    const auto cumulative = analysis::classic_cumulative(h);
    const char* comma = labels_.empty() ? "" : ",";
    for (std::size_t i = 0; i < cumulative.size(); i++) {
      const std::string le = i < analysis::kClassicBuckets
                                 ? fmt::format("{:.16g}", analysis::classic_bounds()[i])
                                 : std::string("+Inf");
      append(out, "{}_bucket{{{}{}le=\"{}\"}} {} {:.3f}\n", name_, labels_, comma, le,
             cumulative[i], at);
    }
    append(out, "{}_count{} {} {:.3f}\n", name_, braced(), h.count(), at);
    append(out, "{}_sum{} {} {:.3f}\n", name_, braced(), static_cast<double>(h.sum_ns) / 1e9, at);
  }
  void end(std::string& out) override { out += "# EOF\n"; }

 private:
  [[nodiscard]] std::string braced() const {
    return labels_.empty() ? std::string() : '{' + labels_ + '}';
  }
  static std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    return fmt::format("{}", value);
  }

  Type type_ = Type::gauge;
  std::string family_, name_, labels_;
  Total total_;
};

}  // namespace

std::string_view name_of(Type type) {
  return type == Type::counter ? "counter" : type == Type::gauge ? "gauge" : "histogram";
}

std::string labels_json(const metrics::Labels& labels) {
  std::string json = "{";
  for (const auto& [label, value] : labels) {
    if (json.size() > 1) json += ',';
    json += quoted(label) + ':' + quoted(value);
  }
  return json + '}';
}

std::unique_ptr<TextWriter> text_writer(const ExportOptions& options) {
  switch (options.format) {
    case Format::csv:
      return std::make_unique<Csv>(options.quantiles);
    case Format::jsonl:
      return std::make_unique<JsonLines>();
    case Format::openmetrics:
      break;
  }
  return std::make_unique<OpenMetrics>();
}

}  // namespace nz::store
