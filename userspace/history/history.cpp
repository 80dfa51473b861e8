#include "userspace/history/history.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "userspace/history/growth.h"
#include "userspace/history/recorder.h"
#include "userspace/history/scan.h"
#include "userspace/metrics/unit.h"

namespace nz::history {
namespace {

using metrics::Type;

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr double kMostSteps = 1e6;

// One step of one series: `seconds` lie between its first and its last point.
double value_of(const State& state, const Growth& growth, const Selector& selector,
                double seconds) {
  if (!growth.seen()) return kNothing;
  if (state.series->type == Type::gauge) return state.value;
  if (state.series->type == Type::counter) return growth.change() / seconds;
  const analysis::Histogram h = growth.histogram();
  if (selector.mean) return h.mean_seconds();
  if (selector.quantile) return h.quantile(*selector.quantile);
  return static_cast<double>(h.count()) / seconds;
}

}  // namespace

std::string unit_of(const std::string& name, Type type, const Selector& selector) {
  const bool a_rate =
      type == Type::counter || (type == Type::histogram && !selector.quantile && !selector.mean);
  return a_rate ? metrics::rate_unit(name, type) : metrics::unit(name);
}

class History::Impl : public Recorder {
 public:
  using Recorder::Recorder;
};

History::History(const Options& options) : impl_(std::make_unique<Impl>(options)) {}
History::~History() = default;

void History::add(double unix_seconds, const std::vector<metrics::Family>& families) {
  impl_->add(unix_seconds, families);
}

analysis::Window History::window(double from, double to, const Filter& filter) const {
  const auto known = impl_->contents();
  const Contents& contents = *known;
  if (contents.size() < 2 || !(from <= to)) return {};
  const std::size_t first = contents.nearest(from);
  const std::size_t last = contents.nearest(to);
  analysis::Window window;
  if (first >= last) return window;
  window.from = contents.at(first);
  window.to = contents.at(last);

  Scan scan(contents, [&](const Series& s) { return !filter || filter(s.name, s.labels); });
  std::vector<Growth> growths;
  scan.run(first, last, [&](std::size_t point) {
    if (point == first) return;
    growths.resize(scan.states().size());
    for (std::size_t i = 0; i < growths.size(); i++) growths[i].add(scan.states()[i]);
  });
  for (std::size_t i = 0; i < growths.size(); i++) {
    const State& state = scan.states()[i];
    const bool gauge = state.series->type == Type::gauge;
    if (!growths[i].seen() || (gauge && !state.present)) continue;
    analysis::WindowSeries& out = window.series.emplace_back();
    out.name = state.series->name;
    out.labels = state.series->labels;
    if (state.series->type == Type::histogram) {
      out.histogram = std::make_shared<analysis::Histogram>(growths[i].histogram());
      continue;
    }
    out.value = state.value;
    if (gauge) {
      out.least = growths[i].least();
      out.most = growths[i].most();
    } else {
      out.change = growths[i].change();
    }
  }
  return window;
}

std::vector<Trend> History::trends(const Selector& selector, double from, double to,
                                   double step) const {
  const auto known = impl_->contents();
  const Contents& contents = *known;
  const double exact_steps = (to - from) / step;
  if (contents.size() == 0 || !(step > 0) || !(exact_steps > 0) || exact_steps > kMostSteps)
    return {};
  const auto steps = static_cast<std::size_t>(std::ceil(exact_steps - 1e-9));
  const auto end_of = [&](std::size_t k) {
    return k == steps ? to : from + static_cast<double>(k) * step;
  };

  Scan scan(contents, [&](const Series& s) {
    return s.name == selector.name && analysis::has_labels(s.labels, selector.labels);
  });
  std::vector<Trend> trends;
  std::vector<Growth> growths;
  std::size_t k = 1;  // the step that points go to, and where it begins and ends
  std::size_t begin = contents.nearest(from);
  std::size_t end = contents.nearest(end_of(k));
  const auto close_steps_until = [&](std::size_t point) {
    for (; k <= steps && end <= point; k++) {
      const double seconds = contents.at(end) - contents.at(begin);
      growths.resize(scan.states().size());
      trends.resize(scan.states().size());
      for (std::size_t i = 0; i < trends.size(); i++) {
        trends[i].points.resize(k - 1, {0, kNothing});
        trends[i].points.push_back(
            {end_of(k), end > begin && end == point
                            ? value_of(scan.states()[i], growths[i], selector, seconds)
                            : kNothing});
        growths[i] = {};
      }
      begin = end;
      if (k < steps) end = contents.nearest(end_of(k + 1));
    }
  };
  const std::size_t first = begin;
  scan.run(first, contents.nearest(to), [&](std::size_t point) {
    if (point > first) {
      growths.resize(scan.states().size());
      for (std::size_t i = 0; i < growths.size(); i++) growths[i].add(scan.states()[i]);
    }
    close_steps_until(point);
  });
  for (std::size_t i = 0; i < trends.size(); i++) {
    trends[i].labels = scan.states()[i].series->labels;
    trends[i].unit =
        unit_of(scan.states()[i].series->name, scan.states()[i].series->type, selector);
    for (std::size_t p = 0; p < trends[i].points.size(); p++)
      trends[i].points[p].at = end_of(p + 1);
  }
  return trends;
}

double History::oldest() const { return impl_->oldest(); }
double History::newest() const { return impl_->newest(); }
double History::resolution() const { return impl_->resolution(); }
std::size_t History::bytes() const { return impl_->bytes(); }
std::uint64_t History::evicted() const { return impl_->evicted(); }

}  // namespace nz::history
