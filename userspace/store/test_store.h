// A store in a folder of its own, and time that the test moves.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "userspace/history/test_families.h"
#include "userspace/store/reader.h"
#include "userspace/store/store.h"

namespace nz::store::testing {

using history::testing::after;
using history::testing::counter;
using history::testing::gauge;
using history::testing::histogram;
using FamilyList = std::vector<metrics::Family>;

/// 2023-11-14T00:00:00Z: a multiple of a minute, an hour and eight hours.
inline constexpr double kMidnight = 1'699'920'000;
inline constexpr std::int64_t kMidnightMs = 1'699'920'000'000;
inline constexpr double kHour = 3600, kDay = 86400;

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "nz-store-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name = "history.db") const {
    return path_ + "/" + name;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::unique_ptr<Store> open_store(const Options& options) {
  auto store = Store::open(options);
  EXPECT_TRUE(store) << store.error().text();
  return store ? std::move(*store) : nullptr;
}

/// By a clock on the wall that may be set, and one that may not.
inline void add(Store& store, double wall, double boot, const FamilyList& families) {
  store.add(wall, std::make_shared<const FamilyList>(families), boot);
}
/// Both clocks go on alike.
inline void add(Store& store, double at, const FamilyList& families) {
  add(store, at, at, families);
}

/// What was added is on disk afterwards.
inline void save(Store& store) {
  const auto done = store.flush();
  ASSERT_TRUE(done) << done.error().text();
}

/// A counter of `rate` a second, a gauge that walks from 0 to 99, and a histogram of one value a
/// second: 1 ms plus the second of its minute in microseconds.
class Service {
 public:
  explicit Service(double rate = 5) : rate_(rate) {}
  /// As of `seconds` after its start, and with the values of the drain that ends there.
  FamilyList families(int seconds) {
    analysis::Histogram fresh;
    for (; values_ < seconds; values_++)
      fresh.record(1'000'000 + static_cast<std::uint64_t>(values_ % 60) * 1000);
    all_.merge(fresh);
    all_.min_ns = fresh.min_ns;
    all_.max_ns = fresh.max_ns;
    return {counter("c_total", rate_ * seconds, {{"k", "v"}}), gauge("g", seconds % 100),
            histogram("h_seconds", all_, {{"stage", "risk"}})};
  }

 private:
  double rate_;
  int values_ = 0;
  analysis::Histogram all_;
};

/// Drains of [from, to] seconds after `start`, one each `step`; all of it is on disk afterwards.
inline void run_service(Store& store, Service& service, int from, int to, int step = 1,
                        double start = kMidnight) {
  int drains = 0;
  for (int s = from; s <= to; s += step) {
    add(store, start + s, service.families(s));
    // Faster than any writer: a full queue would join drains.
    if (++drains % 3 == 0) save(store);
  }
  save(store);
}

/// Every interval of a family at one level, as it lies on disk.
inline std::vector<std::pair<Interval, Cell>> points(const std::string& path,
                                                     const std::string& family, Level level) {
  std::vector<std::pair<Interval, Cell>> all;
  auto reader = Reader::open(path);
  EXPECT_TRUE(reader) << reader.error().text();
  if (!reader) return all;
  const auto series = (*reader)->series(family);
  EXPECT_TRUE(series);
  const Query query{0, std::int64_t{1} << 50U, level, true};
  const auto done = (*reader)->read(
      *series, query, [&](std::size_t, Level, const Interval& interval, const Cell& cell) {
        all.emplace_back(interval, cell);
        return true;
      });
  EXPECT_TRUE(done) << done.error().text();
  return all;
}

/// What a counter did in all intervals of a level.
inline double growth_of(const std::string& path, Level level,
                        const std::string& family = "c_total") {
  double growth = 0;
  for (const auto& [interval, cell] : points(path, family, level)) growth += cell.growth;
  return growth;
}

/// SQLite finds nothing wrong with the file.
inline void expect_sound(const std::string& path, const std::string& when = {}) {
  auto reader = Reader::open(path);
  ASSERT_TRUE(reader) << when << ": " << reader.error().text();
  const auto problems = (*reader)->check();
  ASSERT_TRUE(problems) << when;
  ASSERT_TRUE(problems->empty()) << when << ": " << (*problems)[0];
}

inline double value_of(const Store& store, const std::string& family,
                       const metrics::Labels& labels = {}) {
  FamilyList families;
  store.collect(families);
  for (const metrics::Family& f : families) {
    if (f.name != family) continue;
    for (const metrics::Sample& s : f.samples) {
      if (analysis::has_labels(s.labels, labels)) return s.value;
    }
  }
  return -1;
}

}  // namespace nz::store::testing
