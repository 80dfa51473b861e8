// What a trace prints: a table and pictures, or JSON; single slow events as they come.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "userspace/trace/names.h"
#include "userspace/trace/recorder.h"
#include "userspace/trace/request.h"
#include "userspace/trace/stacks.h"

namespace nz::trace {

/// One interval.
struct Interval {
  double seconds = 0;
  Rows rows;
  std::map<std::string, uint64_t> lost;  ///< what was not recorded, by cause
  double cost = 0;                       ///< estimated, seconds of CPU
  bool last = false;
};

/// A single event that was slower than asked for.
struct Slow {
  std::string time;  ///< "12:00:01.123456", local
  RowName name;
  std::string number;
  pid_t pid = 0, tid = 0;
  std::string comm;
  uint64_t ns = 0;
  std::vector<std::string> kernel, user;  ///< stacks, innermost first
};

class Report {
 public:
  Report(const Request& request, const Names& names) : request_(request), names_(names) {}

  [[nodiscard]] std::string as_text(const Interval& interval) const;
  /// One object and a newline (docs/cli.md). `slow`: the events of the interval.
  [[nodiscard]] std::string as_json(const Interval& interval, const std::vector<Slow>& slow) const;
  [[nodiscard]] static std::string as_text(const Slow& slow);

 private:
  struct Row {
    RowName name;
    std::vector<std::pair<std::string, std::string>> by;  ///< ("pid", "12"), ...
    analysis::Histogram histogram;
    std::map<std::string, uint64_t> errors;  ///< of a system call, by errno

    [[nodiscard]] std::string by_text() const;
  };
  static void drop_repeated(std::vector<Row>& rows);
  [[nodiscard]] std::vector<Row> rows_of(const Interval& interval) const;

  const Request& request_;
  const Names& names_;
};

}  // namespace nz::trace
