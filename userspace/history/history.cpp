#include "userspace/history/history.h"

#include <algorithm>
#include <limits>

#include "userspace/history/growth.h"
#include "userspace/history/recorder.h"
#include "userspace/history/scan.h"
#include "userspace/history/steps.h"
#include "userspace/metrics/unit.h"

namespace nz::history {
namespace {

using metrics::Type;

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

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

// Points that are `step` apart. A drain may come a little early; a rest of less than half a step
// belongs to what is before it.
std::vector<std::size_t> cuts_of(const Contents& contents, std::size_t first, std::size_t last,
                                 double step) {
  constexpr double kEarly = 0.99;
  std::vector<std::size_t> cuts{first};
  for (std::size_t point = first + 1; point <= last; point++) {
    if (contents.at(point) - contents.at(cuts.back()) >= step * kEarly) cuts.push_back(point);
  }
  if (cuts.back() == last) return cuts;
  const bool short_rest = contents.at(last) - contents.at(cuts.back()) < step / 2;
  if (short_rest && cuts.size() > 1) {
    cuts.back() = last;
  } else {
    cuts.push_back(last);
  }
  return cuts;
}

}  // namespace

std::string unit_of(const std::string& name, Type type, const Selector& selector) {
  const bool a_rate =
      type == Type::counter || (type == Type::histogram && !selector.quantile && !selector.mean);
  return a_rate ? metrics::rate_unit(name, type) : metrics::unit(name);
}

void add_to(std::optional<metrics::Family>& family, const Series& series) {
  if (!family) family = metrics::Family{series.name, "", series.type, {}};
  if (family->type == series.type) family->samples.push_back({series.labels, 0, nullptr});
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
  const auto steps = Steps::of(*known, from, to, step);
  if (!steps) return {};
  std::vector<Trend> trends;
  steps->run(
      [&](const Series& s) {
        return s.name == selector.name && analysis::has_labels(s.labels, selector.labels);
      },
      [&](std::size_t number, double seconds, const std::vector<State>& states,
          const std::vector<Growth>& growths) {
        for (std::size_t i = trends.size(); i < states.size(); i++) {
          Trend& fresh = trends.emplace_back();
          fresh.labels = states[i].series->labels;
          fresh.unit = unit_of(states[i].series->name, states[i].series->type, selector);
          for (std::size_t k = 1; k < number; k++)
            fresh.points.push_back({steps->end_of(k), kNothing});
        }
        for (std::size_t i = 0; i < trends.size(); i++) {
          trends[i].points.push_back(
              {steps->end_of(number),
               seconds > 0 ? value_of(states[i], growths[i], selector, seconds) : kNothing});
        }
      });
  return trends;
}

std::vector<Interval> History::intervals(const std::string& name, const analysis::Labels& labels,
                                         double from, double to, double step) const {
  const auto known = impl_->contents();
  const Contents& contents = *known;
  std::vector<Interval> intervals;
  if (contents.size() == 0 || !(from < to) || !(step > 0)) return intervals;
  const std::vector<std::size_t> cuts =
      cuts_of(contents, contents.nearest(from), contents.nearest(to), step);
  Scan scan(contents, [&](const Series& s) { return s.name == name && s.labels == labels; });
  Growth growth;
  std::size_t next = 1;  // the cut that points go to
  scan.run(cuts.front(), cuts.back(), [&](std::size_t point) {
    if (point == cuts.front()) return;
    if (!scan.states().empty()) growth.add(scan.states().front());
    if (point < cuts[next]) return;
    if (growth.seen()) {
      intervals.push_back({contents.at(cuts[next - 1]), contents.at(point),
                           std::make_shared<const analysis::Histogram>(growth.histogram())});
    }
    growth = {};
    next++;
  });
  return intervals;
}

std::optional<metrics::Family> History::family(const std::string& name) const {
  std::optional<metrics::Family> family;
  const auto known = impl_->contents();
  if (!known->head) return family;
  for (const auto& series : known->head->table->series) {
    if (series->name == name) add_to(family, *series);
  }
  return family;
}

double History::oldest() const { return impl_->oldest(); }
double History::newest() const { return impl_->newest(); }
double History::resolution() const { return impl_->resolution(); }
std::size_t History::bytes() const { return impl_->bytes(); }
std::uint64_t History::evicted() const { return impl_->evicted(); }

}  // namespace nz::history
