// Single statements over their target's threshold: decoded, kept within bounds, given out.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/finding.h"
#include "nearzero/slow_statement.h"
#include "probes/sqlite/statement_texts.h"

namespace nz::probes {

/// What an event says, and the text that came with it (empty: none, or not this statement's).
struct SlowRecord {
  nz_slow_statement_event event{};
  std::string text;
};

/// Nothing where the bytes are no such event.
std::optional<SlowRecord> decode_slow(std::span<const std::byte> bytes);

/// Whether `text`, read from the process' memory at the end of a statement, is the one that is
/// known under its id: a statement may have been finalised by then, and its memory be another's.
bool is_text_of(const std::string& text, const StatementTexts::Known& known);

/// Seconds since 1970 of a time on CLOCK_MONOTONIC.
double unix_seconds(uint64_t monotonic_ns);

class SlowLog {
 public:
  static constexpr std::size_t kNewest = 256;  ///< of each target
  static constexpr std::size_t kSlowest = 32;  ///< of each target, of the last hour
  static constexpr double kHour = 3600;

  void add(analysis::SlowStatement statement);

  /// Newest first, each once.
  [[nodiscard]] std::vector<analysis::SlowStatement> all() const;
  /// Ever logged, by target and digest.
  [[nodiscard]] const std::map<std::pair<std::string, std::string>, uint64_t>& counts() const {
    return counts_;
  }

 private:
  struct Entry {
    uint64_t number = 0;  // in the order of arrival
    analysis::SlowStatement statement;
  };
  struct Target {
    std::deque<Entry> newest;
    std::vector<Entry> slowest;  // of those that fell out of `newest`
  };
  std::map<std::string, Target> targets_;
  std::map<std::pair<std::string, std::string>, uint64_t> counts_;
  uint64_t number_ = 0;
};

/// The time that a statement is compared by: inside SQLite, or open where that is unknown.
double slowness(const analysis::SlowStatement& s);

}  // namespace nz::probes
