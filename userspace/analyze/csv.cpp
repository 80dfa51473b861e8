#include "userspace/analyze/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "userspace/analyze/columns.h"
#include "userspace/analyze/lines.h"
#include "userspace/cli/terminal.h"

namespace nz::analyze {
namespace {

constexpr std::size_t kShownCell = 40;

// A cell in an error: control characters and endless texts are of the file, not of the terminal.
std::string shown(std::string_view cell) {
  return cli::cut(std::string(cell.substr(0, 4 * kShownCell)), kShownCell);
}

class Reader {
 public:
  Reader(std::FILE* file, const std::string& name, const CsvOptions& options)
      : lines_(file, name), options_(options) {
    out_.name = name;
    out_.value_name = "value";
  }

  Result<CsvSeries> read(const std::function<void(std::size_t)>& progress) {
    std::string_view record;
    bool header_seen = false;
    for (;;) {
      const auto more = lines_.next(record);
      if (!more) return tl::unexpected(more.error());
      if (!*more) break;
      if (!columns_ && record.front() == '#') continue;  // a remark before the table
      if (!header_seen)
        delimiter_ = options_.delimiter != 0 ? options_.delimiter : guess_delimiter(record);
      split(record, delimiter_, cells_, scratch_);
      if (!header_seen) {
        header_seen = true;
        if (is_header(cells_)) {
          header_.assign(cells_.begin(), cells_.end());
          continue;
        }
      }
      if (!columns_) {
        if (auto started = start(); !started) return tl::unexpected(started.error());
      }
      if (auto taken = take(); !taken) {
        if (!options_.skip_bad_rows) return tl::unexpected(taken.error());
        if (out_.bad.rows == 0) out_.first_bad = taken.error().what;
        out_.bad.add(lines_.line());
      }
      after_row(progress);
    }
    return finished();
  }

 private:
  // The first row of data decides what the columns are.
  Result<void> start() {
    auto columns = choose_columns(header_, cells_, options_);
    if (!columns) {
      Error error = columns.error();
      error.what = lines_.where() + ": " + error.what;
      return tl::unexpected(error);
    }
    columns_ = *columns;
    width_ = header_.empty() ? cells_.size() : header_.size();
    if (!header_.empty() && columns_->value < header_.size())
      out_.value_name = header_[columns_->value];
    return {};
  }

  Error bad(const std::string& what, const std::string& remedy) const {
    const std::string or_skip =
        options_.skip_bad_rows ? "" : ", or leave such rows out with --skip-bad-rows";
    return Error{lines_.where() + ": " + what, remedy + or_skip, 0};
  }

  Result<void> take() {
    if (auto width = check_width(); !width) return width;
    double at = static_cast<double>(out_.series.at.size());
    if (columns_->time) {
      const auto time = time_of(cells_[*columns_->time]);
      if (!time) return tl::unexpected(time.error());
      at = *time;
    }
    const auto value = value_of(cells_[columns_->value]);
    if (!value) return tl::unexpected(value.error());
    if (!out_.series.at.empty()) {
      const double before = out_.series.at.back();
      if (at == before) out_.duplicate.add(lines_.line());
      if (at < before) out_.backward.add(lines_.line());
    }
    out_.series.at.push_back(at);
    out_.series.value.push_back(*value);
    return {};
  }

  Result<void> check_width() {
    // A delimiter at the end of a line is no cell.
    while (cells_.size() > width_ && cells_.back().empty()) cells_.pop_back();
    if (cells_.size() == width_) return {};
    return tl::unexpected(
        bad(fmt::format("{} cell{} where {} {} expected", cells_.size(),
                        cells_.size() == 1 ? "" : "s", width_, width_ == 1 ? "is" : "are"),
            fmt::format("mend the row, put what has a '{}' in it in quotes",
                        delimiter_ == '\t' ? "tab" : std::string(1, delimiter_))));
  }

  Result<double> time_of(std::string_view cell) {
    if (out_.times.kind() == Times::Kind::index) {
      const auto times = Times::like(cell);
      if (!times)
        return tl::unexpected(bad(fmt::format("'{}' is no time", shown(cell)),
                                  "write 2026-11-27T09:00:00Z, Unix seconds or a number, or say "
                                  "--time-column none"));
      out_.times = *times;
      first_time_ = cell;
    }
    const auto at = out_.times.parse(cell);
    if (at) return *at;
    return tl::unexpected(bad(
        fmt::format("'{}' is no time like the first one, '{}'", shown(cell), shown(first_time_)),
        "write all times in one way"));
  }

  Result<double> value_of(std::string_view cell) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    if (is_missing(cell)) {
      out_.missing.add(lines_.line());
      return nan;
    }
    const auto value = parse_number(cell);
    if (!value)
      return tl::unexpected(
          bad(fmt::format("'{}' in column '{}' is no number", shown(cell), shown(out_.value_name)),
              cell.find(',') != std::string_view::npos ? "write decimals with a point"
                                                       : "write a plain number"));
    if (std::isnan(*value)) out_.missing.add(lines_.line());
    if (std::isinf(*value)) out_.infinite.add(lines_.line());
    return *value;
  }

  void after_row(const std::function<void(std::size_t)>& progress) {
    if (++rows_ % 65536 == 0 && progress) progress(lines_.bytes());
  }

  Result<CsvSeries> finished() {
    const std::size_t good = out_.series.at.size();
    if (good == 0 && out_.bad.rows == 0)
      return fail(header_.empty() ? out_.name + " is empty"
                                  : out_.name + " has a header and no row below it",
                  "rows of timestamp,value are expected");
    if (out_.bad.rows > good)
      return fail(fmt::format("{}: {} rows of {} are bad, the first: {}", out_.name, out_.bad.rows,
                              out_.bad.rows + good, out_.first_bad),
                  "is the delimiter right (--delimiter), and are the columns?");
    const bool any = std::any_of(out_.series.value.begin(), out_.series.value.end(),
                                 [](double v) { return std::isfinite(v); });
    if (!any)
      return fail(fmt::format("{}: column '{}' has no value that is a number", out_.name,
                              shown(out_.value_name)),
                  "name another column with --value-column");
    return std::move(out_);
  }

  Lines lines_;
  const CsvOptions& options_;
  CsvSeries out_;
  std::vector<std::string> header_;
  std::optional<Columns> columns_;
  std::size_t width_ = 0, rows_ = 0;
  char delimiter_ = ',';
  std::string first_time_;
  std::vector<std::string_view> cells_;
  std::deque<std::string> scratch_;
};

std::string rows(const Count& count) {
  return count.rows == 1
             ? fmt::format("1 row (line {})", count.first_line)
             : fmt::format("{} rows (the first: line {})", count.rows, count.first_line);
}

}  // namespace

std::vector<std::string> CsvSeries::warnings() const {
  std::vector<std::string> all;
  const auto add = [&](const Count& count, const std::string& text) {
    if (count.rows > 0) all.push_back(rows(count) + " " + text);
  };
  add(bad, "left out: " + first_bad);
  add(missing, "without a value: taken as missing");
  add(infinite, "with an infinite value: an anomaly for sure, else taken as missing");
  add(duplicate, "with the time of the row before: kept, in the order of the file");
  add(backward, "with a time before that of the row before: judged in the order of time");
  return all;
}

Result<CsvSeries> read_csv(std::FILE* file, const std::string& name, const CsvOptions& options,
                           const std::function<void(std::size_t)>& progress) {
  return Reader(file, name, options).read(progress);
}

}  // namespace nz::analyze
