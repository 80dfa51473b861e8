// The text format: counters and gauges through prometheus-cpp's metric model and serializer,
// histograms, which are nearly all of a scrape's bytes, through histogram_text.h.
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <sstream>

#include "userspace/export/exposition.h"
#include "userspace/export/histogram_text.h"
#include "userspace/export/utf8.h"

namespace nz::exposition {
namespace {

prometheus::MetricFamily convert(const metrics::Family& family) {
  const bool counter = family.type == metrics::Type::counter;
  prometheus::MetricFamily result;
  result.name = valid_metric_name(family.name);
  // prometheus-cpp escapes label values but not help texts: a line feed in one would begin a line
  // that Prometheus cannot read.
  result.help = help_text(family.help);
  result.type = counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
  result.metric.reserve(family.samples.size());
  for (const metrics::Sample& sample : family.samples) {
    prometheus::ClientMetric& metric = result.metric.emplace_back();
    metric.label.reserve(sample.labels.size());
    for (const auto& [name, value] : sample.labels) {
      metric.label.push_back({valid_label_name(name), valid_utf8(value)});
    }
    (counter ? metric.counter.value : metric.gauge.value) = sample.value;
  }
  return result;
}

}  // namespace

std::string render_text(const std::vector<metrics::Family>& families) {
  std::string text;
  std::ostringstream plain;
  const prometheus::TextSerializer serializer;
  for (const metrics::Family& family : families) {
    if (family.samples.empty()) continue;
    if (family.type == metrics::Type::histogram) {
      append_histogram_family(text, family);
    } else {
      plain.str({});
      serializer.Serialize(plain, {convert(family)});
      text += plain.view();
    }
  }
  return text;
}

}  // namespace nz::exposition
