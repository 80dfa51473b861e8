// Reports at regular times: when one is due, and the files they go to. Time is an argument.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"

namespace nz::report {

/// Unix seconds.
struct Period {
  double from = 0, to = 0;
};

/// Periods of `every` seconds, one after the other, that end at whole multiples of it since 1970 in
/// UTC plus `offset`: at midnight for 86,400.
class Schedule {
 public:
  struct Options {
    double every = 86400;  ///< seconds, at least a minute; less counts as one
    double offset = 0;     ///< seconds
    double settle = 20;    ///< seconds after its end, until the last figures are in
  };
  /// `last`: the end of the newest report that there is, as ReportFiles knows it; nothing: none,
  /// then the first is made at the end of the period that `now` lies in.
  Schedule(const Options& options, std::optional<double> last, double now);

  /// The period whose report is due. Asked again, the next one. Of several that were missed (the
  /// agent was off, the clock jumped) the newest alone; none twice where the clock was set back,
  /// but where it was set back by more than two periods, those are made anew.
  std::optional<Period> due(double now);

 private:
  [[nodiscard]] double end_before(double at) const;
  Options options_;
  double last_;
};

/// "20261127T000000Z" of Unix seconds, and back; nothing where it is none.
std::string stamp_of(double to);
std::optional<double> parse_stamp(std::string_view text);

/// Reports in a directory: nearzero-report-20261127T000000Z.html, by the end of its period.
class ReportFiles {
 public:
  /// `keep`: at least 1. `ending`: "html", "md" or "json".
  ReportFiles(std::string directory, std::string ending, std::size_t keep);

  /// Writes it whole or not at all, with mode 0640, in a directory that is made where it is not
  /// there; then the oldest others go until there are `keep`. Returns the path. Errors: the
  /// directory cannot be made or written to, the disk is full; nothing is removed then.
  [[nodiscard]] Result<std::string> write(double to, const std::string& text) const;

  /// Ends of the periods that there are files of, ascending. Other files do not count and are never
  /// touched.
  [[nodiscard]] std::vector<double> periods() const;
  [[nodiscard]] std::optional<double> newest() const;

 private:
  [[nodiscard]] std::string path_of(double to) const;
  void prune(const std::string& fresh) const;
  std::string directory_, ending_;
  std::size_t keep_;
};

/// Writes a file by way of a temporary one beside it: there is the old one or the new one, never a
/// part, after a crash too. A link is replaced, never followed. Errors name the path: also what is
/// neither a file nor a link, which stays what it is.
Result<void> write_whole(const std::string& path, const std::string& text, unsigned mode);

/// The same for a path that a person named: a device, a pipe and a link stay what they are, and are
/// written to.
Result<void> write_output(const std::string& path, const std::string& text, unsigned mode);

}  // namespace nz::report
