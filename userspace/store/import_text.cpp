#include "userspace/store/import_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "userspace/store/export_text.h"
#include "userspace/store/schema.h"

namespace nz::store {
namespace {

using Json = nlohmann::ordered_json;  // labels keep their order
using metrics::Type;

std::string shown(const std::string& text) {
  return text.size() > 60 ? text.substr(0, 60) + "..." : text;
}

std::optional<Type> type_of(const std::string& word) {
  for (const Type type : {Type::counter, Type::gauge, Type::histogram}) {
    if (word == name_of(type)) return type;
  }
  return std::nullopt;
}

std::optional<Level> level_of(const std::string& word) {
  for (const Level level : kLevels) {
    if (word == name_of(level)) return level;
  }
  return std::nullopt;
}

// What is wrong with a point that could be read; empty: nothing.
std::string mistake(const ImportedPoint& p) {
  if (p.series.name.empty()) return "the name of the series is empty";
  if (p.interval.from <= 0 || p.interval.to > kLastSecond * 1000)
    return "'from' or 'to' is no time of ours (Unix seconds)";
  if (p.interval.to <= p.interval.from) return "'to' is not later than 'from'";
  if (p.interval.to - p.interval.from > kLongestInterval)
    return fmt::format("an interval cannot last {} s", (p.interval.to - p.interval.from) / 1000);
  if (p.series.type == Type::counter &&
      !(std::isfinite(p.cell.value) && std::isfinite(p.cell.growth) && p.cell.growth >= 0))
    return "'value' or 'growth' of a counter is not a number that it can have";
  return {};
}

Result<metrics::Labels> labels_of(const Json& object) {
  if (!object.is_object()) return fail("'labels' is no object", "write {\"label\":\"value\"}");
  metrics::Labels labels;
  for (const auto& [label, value] : object.items()) {
    if (!value.is_string()) return fail("the label '" + shown(label) + "' is no text", "quote it");
    labels.emplace_back(label, value.get<std::string>());
  }
  return labels;
}

// Of a format in which each line tells one thing.
class OneByOne : public LineReader {
 public:
  Result<void> read(const std::string& line, std::vector<ImportedLine>& out) final {
    auto one = read_one(line);
    if (!one) return tl::unexpected(one.error());
    out.push_back(std::move(*one));
    return {};
  }

 private:
  virtual Result<ImportedLine> read_one(const std::string& line) = 0;
};

// ---- JSON lines

class JsonLineReader : public OneByOne {
 private:
  Result<ImportedLine> read_one(const std::string& line) override {
    if (line.find_first_not_of(" \t\r") == std::string::npos) return ImportedLine(NoLine{});
    Json object;
    try {
      object = Json::parse(line);
    } catch (const Json::parse_error& e) {
      return fail("this is no JSON", "was the file cut off?", static_cast<int>(e.byte));
    } catch (const Json::exception&) {  // out_of_range
      return fail("a number is larger than any double", kRemedy);
    }
    if (!object.is_object()) return fail("this is no object", kRemedy, 1);
    return object.contains("event") ? event(object) : point(object);
  }

  static constexpr const char* kRemedy = "`nearzero history export -f jsonl` shows how lines look";

  static std::optional<double> number(const Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end()) return std::nullopt;
    if (found->is_number()) return found->get<double>();
    if (!found->is_string()) return std::nullopt;
    const auto& word = found->get_ref<const std::string&>();
    if (word == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (word == "Infinity") return std::numeric_limits<double>::infinity();
    if (word == "-Infinity") return -std::numeric_limits<double>::infinity();
    return std::nullopt;
  }
  static std::optional<std::string> text(const Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) return std::nullopt;
    return found->get<std::string>();
  }
  static tl::unexpected<Error> missing(const char* name) {
    return fail(fmt::format("'{}' is missing, or not what it should be", name), kRemedy);
  }

  static Result<ImportedLine> event(const Json& object) {
    const auto kind = text(object, "event");
    const auto at = number(object, "at");
    if (!kind) return missing("event");
    if (!at || !(*at > 0 && *at < static_cast<double>(kLastSecond))) return missing("at");
    return ImportedLine(analysis::Event{*at, *kind, text(object, "target").value_or(""),
                                        text(object, "text").value_or("")});
  }

  static Result<ImportedLine> point(const Json& object) {
    ImportedPoint p;
    const auto name = text(object, "series");
    const auto type = type_of(text(object, "type").value_or(""));
    const auto level = level_of(text(object, "level").value_or(""));
    const auto from = number(object, "from");
    const auto to = number(object, "to");
    if (!name) return missing("series");
    if (!type) return missing("type");
    if (!level) return missing("level");
    if (!from || !(std::abs(*from) < 1e12)) return missing("from");
    if (!to || !(std::abs(*to) < 1e12)) return missing("to");
    auto labels = labels_of(object.value("labels", Json::object()));
    if (!labels) return tl::unexpected(labels.error());
    p.series = {*name, std::move(*labels), *type};
    p.level = *level;
    p.interval = {std::llround(*from * 1000), std::llround(*to * 1000)};
    p.cell.type = *type;
    if (auto filled = *type == Type::histogram ? histogram(object, p.cell) : scalar(object, p.cell);
        !filled)
      return tl::unexpected(filled.error());
    if (const std::string wrong = mistake(p); !wrong.empty()) return fail(wrong, kRemedy);
    return ImportedLine(std::move(p));
  }

  static Result<void> scalar(const Json& object, Cell& cell) {
    const auto value = number(object, "value");
    if (!value) return missing("value");
    cell.value = *value;
    if (cell.type == Type::counter) {
      const auto growth = number(object, "growth");
      if (!growth) return missing("growth");
      cell.growth = *growth;
      return {};
    }
    cell.least = number(object, "min").value_or(*value);
    cell.most = number(object, "max").value_or(*value);
    cell.mean = number(object, "mean").value_or(*value);
    return {};
  }

  static Result<void> histogram(const Json& object, Cell& cell) {
    const auto buckets = object.find("buckets");
    if (buckets == object.end() || !buckets->is_array()) return missing("buckets");
    std::map<std::size_t, std::uint64_t> slots;
    for (const Json& pair : *buckets) {
      if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number_unsigned() ||
          !pair[1].is_number_unsigned() || pair[0].get<std::uint64_t>() >= NZ_BUCKETS)
        return fail("a bucket is not [index below 256, count]", kRemedy);
      slots[pair[0].get<std::size_t>()] += pair[1].get<std::uint64_t>();
    }
    const auto take = [&](const char* name, std::size_t slot, std::uint64_t more) {
      const auto found = object.find(name);
      if (found != object.end() && found->is_number_unsigned())
        slots[slot] = found->get<std::uint64_t>() + more;
    };
    take("zero", history::kZeroSlot, 0);
    take("overflow", history::kOverflowSlot, 0);
    take("sum_ns", history::kSumSlot, 0);
    take("min_ns", history::kLeastSlot, 1);
    take("max_ns", history::kMostSlot, 0);
    for (const auto& [slot, count] : slots) {
      if (count != 0)
        cell.slots.emplace_back(static_cast<std::uint16_t>(slot), static_cast<std::int64_t>(count));
    }
    return {};
  }
};

// ---- CSV

class CsvLineReader : public OneByOne {
 private:
  Result<ImportedLine> read_one(const std::string& line) override {
    if (line.find_first_not_of(" \t\r") == std::string::npos) return ImportedLine(NoLine{});
    auto cells = csv_cells(line);
    if (!cells) return fail("a quote is not closed", "each row stands on one line");
    if (columns_.empty()) return head(*cells);
    if (cells->size() != width_)
      return fail(fmt::format("{} cells where the head has {}", cells->size(), width_),
                  "was the file cut off?");
    return point(*cells);
  }

  Result<ImportedLine> head(const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); i++) columns_.emplace(cells[i], i);
    width_ = cells.size();
    for (const char* name : {"series", "labels", "type", "level", "from", "to", "value", "growth",
                             "min", "max", "mean"}) {
      if (!columns_.contains(name))
        return fail(fmt::format("the head has no column '{}'", name),
                    std::string("it should begin with ") + kCsvColumns);
    }
    return ImportedLine(NoLine{});
  }

  [[nodiscard]] std::string place(const char* column) const {
    return fmt::format("column {} ({})", columns_.at(column) + 1, column);
  }
  Result<double> number(const std::vector<std::string>& cells, const char* column) const {
    const std::string& text = cells[columns_.at(column)];
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end)
      return fail(fmt::format("{}: '{}' is no number", place(column), shown(text)), "");
    return value;
  }

  Result<ImportedLine> point(const std::vector<std::string>& cells) const {
    ImportedPoint p;
    const auto cell = [&](const char* column) -> const std::string& {
      return cells[columns_.at(column)];
    };
    const auto type = type_of(cell("type"));
    if (!type)
      return fail(fmt::format("{}: '{}' is no type", place("type"), shown(cell("type"))),
                  "counter, gauge or histogram");
    if (*type == Type::histogram) return ImportedLine(LeftOut::quantiles);
    const auto level = level_of(cell("level"));
    if (!level)
      return fail(fmt::format("{}: '{}' is no level", place("level"), shown(cell("level"))),
                  "raw, minute or hour");
    const Json object = Json::parse(cell("labels").empty() ? "{}" : cell("labels"), nullptr, false);
    auto labels = labels_of(object);
    if (!labels) return fail(place("labels") + ": " + labels.error().what, labels.error().remedy);
    p.series = {cell("series"), std::move(*labels), *type};
    p.level = *level;
    p.cell.type = *type;
    struct Wanted {
      const char* column;
      double* to;
    };
    double from = 0;
    double to = 0;
    std::vector<Wanted> wanted{{"from", &from}, {"to", &to}, {"value", &p.cell.value}};
    if (*type == Type::counter) {
      wanted.push_back({"growth", &p.cell.growth});
    } else {
      wanted.insert(wanted.end(),
                    {{"min", &p.cell.least}, {"max", &p.cell.most}, {"mean", &p.cell.mean}});
    }
    for (const Wanted& w : wanted) {
      const auto value = number(cells, w.column);
      if (!value) return tl::unexpected(value.error());
      *w.to = *value;
    }
    if (!(std::abs(from) < 1e12 && std::abs(to) < 1e12))
      return fail(place("from") + ": no time of ours (Unix seconds)", "");
    p.interval = {std::llround(from * 1000), std::llround(to * 1000)};
    if (const std::string wrong = mistake(p); !wrong.empty()) return fail(wrong, "");
    return ImportedLine(std::move(p));
  }

  std::map<std::string, std::size_t, std::less<>> columns_;
  std::size_t width_ = 0;
};

}  // namespace

std::optional<std::vector<std::string>> csv_cells(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); i++) {
    const char c = line[i];
    if (quoted) {
      if (c != '"') {
        cells.back() += c;
      } else if (i + 1 < line.size() && line[i + 1] == '"') {
        cells.back() += '"';
        i++;
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  if (quoted) return std::nullopt;
  return cells;
}

std::unique_ptr<LineReader> line_reader(Format format) {
  if (format == Format::csv) return std::make_unique<CsvLineReader>();
  return std::make_unique<JsonLineReader>();
}

}  // namespace nz::store
