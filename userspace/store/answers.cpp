#include "userspace/store/answers.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>

#include "userspace/store/accumulator.h"
#include "userspace/store/milliseconds.h"
#include "userspace/store/total.h"

namespace nz::store {
namespace {

using metrics::Type;

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr double kMostSteps = 1e6;
constexpr std::size_t kMostPoints = 2'000'000;  // of all trends of an answer: 32 MB

Level coarsest(double finest_seconds) {
  for (const Level level : {Level::hour, Level::minute}) {
    if (static_cast<double>(step_ms(level)) <= finest_seconds * 1000) return level;
  }
  return Level::raw;
}

analysis::WindowSeries window_series(const history::Series& series, const Total& total) {
  analysis::WindowSeries out;
  out.name = series.name;
  out.labels = series.labels;
  switch (series.type) {
    case Type::histogram:
      out.histogram = std::make_shared<analysis::Histogram>(total.histogram());
      break;
    case Type::counter:
      out.value = total.value();
      out.change = total.growth();
      break;
    case Type::gauge:
      out.value = total.value();
      out.least = total.least();
      out.most = total.most();
      break;
  }
  return out;
}

// Steps of a trend: where each ends, and which one a moment belongs to.
class Steps {
 public:
  Steps(double from, double to, double step)
      : from_(from),
        to_(to),
        step_(step),
        // One at least: of a range that is next to nothing beside its step there would be none.
        count_(static_cast<std::size_t>(std::max(std::ceil((to - from) / step - 1e-9), 1.0))) {}
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] double end_of(std::size_t i) const {
    return i + 1 == count_ ? to_ : from_ + static_cast<double>(i + 1) * step_;
  }
  [[nodiscard]] std::size_t of(const Interval& interval) const {
    const double at = static_cast<double>(interval.middle()) / 1e3 - from_;
    return std::min(static_cast<std::size_t>(std::max(at / step_, 0.0)), count_ - 1);
  }

 private:
  double from_, to_, step_;
  std::size_t count_;
};

double value_of(Type type, const Total& total, const history::Selector& selector, double seconds) {
  if (type == Type::gauge) return total.value();
  if (type == Type::counter) return total.growth() / seconds;
  const analysis::Histogram h = total.histogram();
  if (selector.mean) return h.mean_seconds();
  if (selector.quantile) return h.quantile(*selector.quantile);
  return static_cast<double>(h.count()) / seconds;
}

// One trend, step by step as its intervals come.
class TrendWriter {
 public:
  TrendWriter(const history::Selector& selector, const Steps& steps,
              const std::vector<double>& observed)
      : selector_(selector), steps_(steps), observed_(observed) {}

  void add(const history::Series& series, const Interval& interval, const Cell& cell) {
    const std::size_t step = steps_.of(interval);
    // Where a clock was set back the intervals of a step may end behind its end.
    if (step > step_) close(series.type, step);
    total_.add(interval, cell);
  }
  void finish(const history::Series& series, std::vector<history::Trend>& out) {
    if (points_.empty() && !total_.any()) return;
    close(series.type, steps_.count());
    out.push_back(
        {series.labels, history::unit_of(series.name, series.type, selector_), std::move(points_)});
    points_ = {};
    step_ = 0;
  }

 private:
  void close(Type type, std::size_t next) {
    if (points_.empty()) points_.reserve(steps_.count());
    double value = kNothing;
    if (total_.any()) {
      const double own = static_cast<double>(total_.milliseconds()) / 1e3;
      value = value_of(type, total_, selector_, std::max(own, observed_[step_]));
    }
    points_.push_back({steps_.end_of(step_), value});
    while (points_.size() < next) points_.push_back({steps_.end_of(points_.size()), kNothing});
    total_ = {};
    step_ = next;
  }

  const history::Selector& selector_;
  const Steps& steps_;
  const std::vector<double>& observed_;
  std::size_t step_ = 0;  // the one in progress; those before it are in points_
  Total total_;
  std::vector<history::Point> points_;
};

}  // namespace

Level level_for_range(double seconds) { return coarsest(seconds / 60); }
Level level_for_step(double seconds) { return coarsest(seconds / 10); }

Result<analysis::Window> window(Reader& reader, double from, double to,
                                const history::History::Filter& filter) {
  analysis::Window window;
  if (!(from < to)) return window;
  auto all = reader.series();
  if (!all) return tl::unexpected(all.error());
  if (filter)
    std::erase_if(*all,
                  [&](const StoredSeries& s) { return !filter(s.series.name, s.series.labels); });
  // By number: neighbours share their rows.
  std::sort(all->begin(), all->end(),
            [](const StoredSeries& a, const StoredSeries& b) { return a.id < b.id; });
  const Query query{ms(from), ms(to), level_for_range(to - from), false};
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  std::int64_t last = 0;
  Total total;
  std::vector<std::int64_t> ends;
  const auto done = reader.read(
      *all, query,
      [&](std::size_t, Level, const Interval& interval, const Cell& cell) {
        first = std::min(first, interval.from);
        last = std::max(last, interval.to);
        total.add(interval, cell);
        return true;
      },
      [&](std::size_t i) {
        if (total.any()) {
          window.series.push_back(window_series((*all)[i].series, total));
          ends.push_back((*all)[i].series.type == Type::gauge ? total.until() : 0);
        }
        total = {};
      });
  if (!done) return tl::unexpected(done.error());
  if (window.series.empty()) return window;
  window.from = static_cast<double>(first) / 1e3;
  window.to = static_cast<double>(last) / 1e3;
  // Gauges are those that are there at its end.
  std::size_t i = 0;
  std::erase_if(window.series, [&](const auto&) {
    const std::int64_t end = ends[i++];
    return end != 0 && end != last;
  });
  return window;
}

Result<std::vector<history::Trend>> trends(Reader& reader, const history::Selector& selector,
                                           double from, double to, double step) {
  std::vector<history::Trend> out;
  if (!(step > 0) || !(from < to) || !((to - from) / step <= kMostSteps)) return out;
  auto wanted = reader.series(selector.name);
  if (!wanted) return tl::unexpected(wanted.error());
  std::erase_if(*wanted, [&](const StoredSeries& s) {
    return s.series.name != selector.name ||
           !analysis::has_labels(s.series.labels, selector.labels);
  });
  if (wanted->empty()) return out;
  const Steps steps(from, to, step);
  // Seconds of each step that were observed at all: an agent that was off must not make a rate
  // small. The drains are read first, in the same pass.
  std::vector<double> observed(steps.count());
  auto drains = reader.series(Accumulator::drains_series().name);
  if (!drains) return tl::unexpected(drains.error());
  const std::size_t axes = drains->size();
  wanted->insert(wanted->begin(), drains->begin(), drains->end());
  TrendWriter writer(selector, steps, observed);
  bool too_many = false;  // a file knows many more series than are there now
  // A step that is longer than the range is as long as the range: an hour that reaches beyond both
  // ends of it would be no answer.
  const Level level = level_for_step(std::min(step, to - from));
  const auto done = reader.read(
      *wanted, {ms(from), ms(to), level, false},
      [&](std::size_t i, Level, const Interval& interval, const Cell& cell) {
        if (too_many) return false;
        if (i < axes) {
          observed[steps.of(interval)] += static_cast<double>(interval.to - interval.from) / 1e3;
        } else {
          writer.add((*wanted)[i].series, interval, cell);
        }
        return true;
      },
      [&](std::size_t i) {
        if (i >= axes) writer.finish((*wanted)[i].series, out);
        too_many = out.size() * steps.count() > kMostPoints;
      });
  if (!done) return tl::unexpected(done.error());
  if (too_many)
    return fail(reader.path() + ": the trends of " + selector.name + " have more than " +
                    std::to_string(kMostPoints) + " points",
                "ask for longer steps, or for fewer series by their labels", E2BIG);
  return out;
}

Result<std::optional<metrics::Family>> family(Reader& reader, const std::string& name) {
  std::optional<metrics::Family> family;
  if (name.empty()) return family;  // to the reader that is all of them
  const auto known = reader.series(name);
  if (!known) return tl::unexpected(known.error());
  for (const StoredSeries& s : *known) history::add_to(family, s.series);
  return family;
}

}  // namespace nz::store
