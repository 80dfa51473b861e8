// Writes points: the newest stays as it came, those before it are written after one another, in
// groups that begin with a whole point, and go group by group.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "userspace/history/forgotten.h"
#include "userspace/history/history.h"
#include "userspace/history/series.h"

namespace nz::history {

class Recorder {
 public:
  explicit Recorder(const History::Options& options) : options_(options) {}

  void add(double unix_seconds, const std::vector<metrics::Family>& families);
  /// Never null.
  [[nodiscard]] std::shared_ptr<const Contents> contents() const;
  [[nodiscard]] double resolution() const { return options_.resolution; }
  [[nodiscard]] double oldest() const;
  [[nodiscard]] double newest() const;
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] std::uint64_t evicted() const;

 private:
  void shift(double seconds);
  void keep_head();
  void forget();
  void publish();
  void drop_group();
  [[nodiscard]] std::size_t second_group() const;
  [[nodiscard]] std::shared_ptr<Head> next_head(double at,
                                                const std::vector<metrics::Family>& families,
                                                bool follows_kept);
  void rebuild_table(double now, std::vector<std::shared_ptr<const Series>> fresh,
                     std::vector<Cell>& cells);
  [[nodiscard]] bool long_gone(const Cell& cell, double now) const {
    return !cell.present && now - cell.absent_since > options_.length;
  }

  const History::Options options_;

  // Of the thread that adds.
  std::shared_ptr<const Table> table_;
  std::unordered_map<std::string, std::size_t> places_;  // key_of -> place in table_
  Forgotten forgotten_;
  std::vector<Cell> kept_;  // cells of the last step
  std::size_t group_size_ = 0;
  double interval_ = 0;  // between the last two additions
  std::deque<Entry> entries_;
  bool entries_changed_ = true;  // since they were copied to shared_entries_
  std::shared_ptr<const std::vector<Entry>> shared_entries_;
  std::shared_ptr<const Head> head_;
  std::size_t step_bytes_ = 0, head_bytes_ = 0;
  std::uint64_t evicted_ = 0;

  // Of all threads: what is known, whole.
  mutable std::mutex mutex_;
  std::shared_ptr<const Contents> contents_ = std::make_shared<Contents>();
};

}  // namespace nz::history
