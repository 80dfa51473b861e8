// One interval in each of the formats of export.h.
#pragma once

#include <memory>
#include <string>

#include "analysis/event.h"
#include "userspace/store/cell.h"
#include "userspace/store/export.h"

namespace nz::store {

class TextWriter {
 public:
  TextWriter() = default;
  TextWriter(const TextWriter&) = delete;
  TextWriter& operator=(const TextWriter&) = delete;
  virtual ~TextWriter() = default;
  virtual void begin(std::string&) {}
  /// Before the first interval of each series and level.
  virtual void series(std::string& out, const history::Series& series, Level level) = 0;
  virtual void point(std::string& out, const Interval& interval, const Cell& cell) = 0;
  virtual void event(std::string&, const analysis::Event&) {}
  virtual void end(std::string&) {}
  [[nodiscard]] virtual bool takes_events() const { return false; }
};

std::unique_ptr<TextWriter> text_writer(const ExportOptions& options);

/// Columns of a CSV before those of the quantiles.
inline constexpr const char* kCsvColumns =
    "series,labels,type,level,from,to,value,growth,min,max,mean,count,sum";
std::string_view name_of(metrics::Type type);
/// {"label":"value"} on one line; bytes that are not UTF-8 become U+FFFD.
std::string labels_json(const metrics::Labels& labels);

}  // namespace nz::store
