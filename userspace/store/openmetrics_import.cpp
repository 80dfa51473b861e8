#include "userspace/store/openmetrics_import.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "userspace/history/codec.h"
#include "userspace/store/schema.h"
#include "userspace/store/series_table.h"

namespace nz::store {
namespace {

using metrics::Type;
using Series = OpenMetricsSurvey::Series;

constexpr std::size_t kMostSeries = 200'000;     // twice what an agent knows
constexpr std::int64_t kRemembered = 3'600'000;  // as the agent itself, see Accumulator

constexpr std::int64_t hole_of(std::int64_t step) { return step * 5 / 2; }

// What both passes have in common: the lines, and which samples are left out.
class TextReader : public LineReader {
 public:
  explicit TextReader(OpenMetricsSurvey& survey)
      : survey_(survey),
        samples_(survey.by_bucket, [this](Measured&& m) { return take(std::move(m)); }) {
    for (auto& [key, series] : survey_.series) series.last = 0;
  }

  Result<void> read(const std::string& text, std::vector<ImportedLine>& out) final {
    out_ = &out;
    auto line = read_openmetrics(text);
    if (!line) return tl::unexpected(line.error());
    if (ended_ && text.find_first_not_of(" \t\r") != std::string::npos)
      return fail("something stands behind '# EOF'", "import what was joined file by file");
    auto taken = take_line(std::move(*line));
    if (taken && survey_.series.size() + survey_.by_bucket.size() > kMostSeries)
      return fail("there are more than 200,000 series", "select some: import a file for each part");
    return taken;
  }

  Result<void> end(std::vector<ImportedLine>& out) final {
    if (!ended_)
      return fail("the text ends without '# EOF'",
                  "was the file cut off? If it is whole, end it: echo '# EOF' >> FILE");
    out_ = &out;
    survey_.again = samples_.turned();
    finish();
    return {};
  }

 protected:
  void give(ImportedLine&& line) { out_->push_back(std::move(line)); }
  OpenMetricsSurvey& survey_;

 private:
  virtual void sample(Series& series, Measured&& measured) = 0;
  virtual void finish() {}

  Result<void> take_line(OpenMetricsLine&& line) {
    if (auto* sample = std::get_if<OpenMetricsSample>(&line)) {
      give(Seen{});
      if (sample->exemplar) give(LeftOut::exemplar);
      return samples_.sample(std::move(*sample));
    }
    if (auto* type = std::get_if<OpenMetricsType>(&line)) return samples_.type(std::move(*type));
    if (!std::holds_alternative<OpenMetricsEnd>(line)) return {};
    ended_ = true;
    return samples_.end();
  }

  Result<void> take(Measured&& m) {
    if (m.series.type == Type::counter && !std::isfinite(m.value)) {
      give(LeftOut::not_a_number);
      return {};
    }
    Series& series = survey_.series[set_key_of(m.series)];
    if (m.at <= series.last) {
      give(LeftOut::backward);
      return {};
    }
    const std::int64_t at = m.at;
    sample(series, std::move(m));
    series.last = at;
    return {};
  }

  OpenMetricsSamples samples_;
  std::vector<ImportedLine>* out_ = nullptr;
  bool ended_ = false;
};

// ---- First pass

Level level_of_distance(std::int64_t ms) {
  if (ms < step_ms(Level::minute) / 2) return Level::raw;
  return ms < step_ms(Level::hour) / 2 ? Level::minute : Level::hour;
}

class SurveyReader : public TextReader {
 public:
  explicit SurveyReader(OpenMetricsSurvey& survey) : TextReader(survey) {
    survey_.series.clear();
    survey_.distances = {};
  }

 private:
  void sample(Series& series, Measured&& m) override {
    if (series.last == 0) return;
    const std::int64_t distance = m.at - series.last;
    series.cadence.add(distance);
    survey_.distances[index_of(level_of_distance(distance))]++;
  }
};

// ---- Second pass

// The values between two states of a histogram. Nothing: it fell, or began anew.
std::optional<ClassicState> difference(const ClassicState& before, const ClassicState& now) {
  if (now.sum_ns < before.sum_ns) return std::nullopt;
  ClassicState d;
  d.sum_ns = now.sum_ns - before.sum_ns;
  for (std::size_t n = 0; n < d.cumulative.size(); n++) {
    if (now.cumulative[n] < before.cumulative[n]) return std::nullopt;
    d.cumulative[n] = now.cumulative[n] - before.cumulative[n];
    if (n != 0 && d.cumulative[n] < d.cumulative[n - 1]) return std::nullopt;
  }
  return d;
}

history::Deltas slots_from(const ClassicState& values) {
  analysis::Histogram h = analysis::from_classic(values.cumulative);
  h.sum_ns = values.sum_ns;
  return slots_of(history::flatten(h, {}));
}

class PointReader : public TextReader {
 public:
  PointReader(OpenMetricsSurvey& survey, std::optional<Level> asked)
      : TextReader(survey), level_(asked.value_or(survey.level())), joins_(asked.has_value()) {}

 private:
  // Where an interval begins, and from when on what grew is its own.
  struct Begin {
    std::int64_t from = 0;
    enum class Counts : std::uint8_t { nothing, difference, all } counts = Counts::difference;
  };

  void sample(Series& s, Measured&& m) override {
    const std::int64_t step = s.cadence.step() != 0 ? s.cadence.step() : step_ms(level_);
    const auto grown = m.classic && s.classic ? difference(*s.classic, *m.classic) : std::nullopt;
    const bool fell = s.last != 0 && (m.classic ? !grown : m.value < s.value);
    const Begin begin = m.series.type == Type::gauge ? begin_of_gauge(s, m, step)
                                                     : begin_of_counter(s, m, step, fell);
    ImportedPoint p;
    p.level = level_;
    p.interval = {std::max({begin.from, m.at - kLongestInterval, std::int64_t{1}}), m.at};
    p.cell.type = m.series.type;
    p.cell.value = m.value;
    switch (m.series.type) {
      case Type::gauge:
        p.cell.least = p.cell.most = p.cell.mean = m.value;
        break;
      case Type::counter:
        if (begin.counts == Begin::Counts::all) p.cell.growth = m.value;
        if (begin.counts == Begin::Counts::difference) p.cell.growth = m.value - s.value;
        break;
      case Type::histogram:
        if (begin.counts == Begin::Counts::all) p.cell.slots = slots_from(*m.classic);
        if (begin.counts == Begin::Counts::difference) p.cell.slots = slots_from(*grown);
        break;
    }
    s.value = m.value;
    s.classic = m.classic;
    if (m.created) s.created = m.created;
    p.series = std::move(m.series);
    if (joins_ && step < step_ms(level_) / 2) return join(s, std::move(p));
    give(std::move(p));
  }

  static Begin begin_of_gauge(const Series& s, const Measured& m, std::int64_t step) {
    const bool follows = s.last != 0 && m.at - s.last <= hole_of(step);
    return {follows ? s.last : m.at - step};
  }

  static Begin begin_of_counter(Series& s, const Measured& m, std::int64_t step, bool fell) {
    using Counts = Begin::Counts;
    const std::int64_t remembered = std::max(kRemembered, hole_of(step));
    const bool is_first = s.last == 0;
    const bool anew =
        fell || (m.created && (s.created ? *m.created != *s.created : *m.created > s.last));
    if (is_first || anew) {
      const bool within = m.created && *m.created >= s.last && m.at - *m.created <= remembered;
      if (is_first) s.whole = m.classic && within;
      const std::int64_t from = begin_of_gauge(s, m, step).from;
      return {within && *m.created < m.at ? *m.created : from,
              anew && (within || !is_first) ? Counts::all : Counts::nothing};
    }
    if (s.whole) return begin_of_gauge(s, m, step);
    if (m.at - s.last <= remembered) return {s.last};
    return {m.at - step, Counts::nothing};
  }

  // As the agent makes coarser intervals: one ends where the next step of the clock has begun.
  void join(Series& s, ImportedPoint&& p) {
    if (s.joined && s.joined->interval.to != p.interval.from) give_joined(s);
    if (!s.joined)
      s.joined = std::make_unique<OpenMetricsSurvey::Joined>(
          OpenMetricsSurvey::Joined{std::move(p.series), p.interval, {}});
    s.joined->interval.to = p.interval.to;
    s.joined->total.add(p.interval, p.cell);
    const std::int64_t step = step_ms(level_);
    if (s.joined->interval.to / step != s.joined->interval.from / step) give_joined(s);
  }
  void give_joined(Series& s) {
    give(ImportedPoint{std::move(s.joined->series), level_, s.joined->interval,
                       s.joined->total.cell()});
    s.joined.reset();
  }
  void finish() override {
    for (auto& [key, series] : survey_.series) {
      if (series.joined) give_joined(series);
    }
  }

  const Level level_;
  const bool joins_;
};

}  // namespace

void Cadence::add(std::int64_t ms) {
  if (votes_ == 0) {
    step_ = ms;
    votes_ = 1;
  } else if (std::abs(ms - step_) <= step_ / 4) {
    votes_++;
  } else {
    votes_--;
  }
}

Level OpenMetricsSurvey::level() const {
  const auto most = std::max_element(distances.begin(), distances.end());
  if (*most == 0) return Level::minute;
  return kLevels[static_cast<std::size_t>(most - distances.begin())];
}

std::unique_ptr<LineReader> openmetrics_survey(OpenMetricsSurvey& survey) {
  return std::make_unique<SurveyReader>(survey);
}

std::unique_ptr<LineReader> openmetrics_reader(OpenMetricsSurvey& survey,
                                               std::optional<Level> asked) {
  return std::make_unique<PointReader>(survey, asked);
}

}  // namespace nz::store
