#include "userspace/store/export.h"

#include <fnmatch.h>

#include <algorithm>
#include <cmath>

#include "userspace/store/export_text.h"
#include "userspace/store/milliseconds.h"

namespace nz::store {
namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10U;
constexpr std::size_t kSeriesAtOnce = 64;  // of one state of the file: a second or so
constexpr std::size_t kMostEventsExported = 1'000'000;

bool is_wanted(const history::Series& series, const ExportOptions& options) {
  const bool named =
      options.series.empty() ||
      std::any_of(options.series.begin(), options.series.end(), [&](const std::string& glob) {
        return fnmatch(glob.c_str(), series.name.c_str(), 0) == 0;
      });
  return named && analysis::has_labels(series.labels, options.labels);
}

}  // namespace

Result<Exported> export_history(Reader& reader, const ExportOptions& options,
                                const std::function<bool(std::string_view)>& sink,
                                const std::function<bool(std::size_t, std::size_t)>& progress) {
  auto all = reader.series();
  if (!all) return tl::unexpected(all.error());
  std::erase_if(*all, [&](const StoredSeries& s) { return !is_wanted(s.series, options); });

  const auto writer = text_writer(options);
  Exported exported;
  std::string out;
  bool more = true;
  const auto give = [&](std::size_t when_above) {
    if (more && out.size() > when_above) {
      more = sink(out);
      out.clear();
    }
    return more;
  };
  writer->begin(out);
  const std::size_t steps = options.levels.size() * all->size();
  std::size_t step = 0;
  std::vector<bool> counted(all->size());  // a series has several levels
  for (const Level level : options.levels) {
    const Query query{ms(options.from), ms(options.to), level, true};
    for (std::size_t begin = 0; more && begin < all->size(); begin += kSeriesAtOnce) {
      const auto first = all->begin() + static_cast<std::ptrdiff_t>(begin);
      const std::vector<StoredSeries> some(
          first, first + static_cast<std::ptrdiff_t>(std::min(kSeriesAtOnce, all->size() - begin)));
      bool announced = false;
      const auto done = reader.read(
          some, query,
          [&](std::size_t i, Level, const Interval& interval, const Cell& cell) {
            if (!announced) {
              writer->series(out, some[i].series, level);
              exported.series += counted[begin + i] ? 0U : 1U;
              counted[begin + i] = true;
            }
            announced = true;
            writer->point(out, interval, cell);
            exported.points++;
            return give(kPiece);
          },
          [&](std::size_t) {
            announced = false;
            step++;
            if (progress && !progress(step, steps)) more = false;
          });
      if (!done) return tl::unexpected(done.error());
    }
  }
  if (more && writer->takes_events() && options.series.empty() && options.labels.empty()) {
    const auto events = reader.events(options.from, options.to, kMostEventsExported);
    if (!events) return tl::unexpected(events.error());
    for (const analysis::Event& e : *events) {
      writer->event(out, e);
      exported.events++;
      if (!give(kPiece)) break;
    }
  }
  if (more) writer->end(out);
  give(0);
  return exported;
}

}  // namespace nz::store
