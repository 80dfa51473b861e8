// Files of `nearzero analyze`: tables of any kind, and baselines as bytes.
#include <cmath>
#include <cstdio>
#include <memory>

#include "analysis/baseline/hour_of_week.h"
#include "analysis/baseline/named.h"
#include "tests/fuzz/input.h"
#include "userspace/analyze/csv.h"
#include "userspace/baselines/group_blob.h"

namespace {

void read_table(std::string text, bool skip) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  if (text.empty()) return;
  const std::unique_ptr<std::FILE, Close> file(fmemopen(text.data(), text.size(), "r"));
  nz::analyze::CsvOptions options;
  options.skip_bad_rows = skip;
  auto csv = nz::analyze::read_csv(file.get(), "input", options);
  if (!csv) {
    nz::fuzz::require(!csv.error().what.empty(), "an error says what is wrong");
    return;
  }
  const auto& series = csv->series;
  nz::fuzz::require(series.at.size() == series.value.size(), "a time for each value");
  for (const double at : series.at) {
    nz::fuzz::require(std::isfinite(at), "times are finite");
    const auto again = csv->times.parse(csv->times.text(at));
    if (csv->times.kind() == nz::analyze::Times::Kind::calendar)
      nz::fuzz::require(again && std::fabs(*again - at) <= 1e-3, "times read back");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  nz::fuzz::Input input(data, size);
  const uint8_t kind = input.byte();
  std::string rest = input.rest();
  if (kind == 'b') {
    const auto baseline = nz::analysis::HourOfWeek::from_blob(rest, {});
    if (baseline) static_cast<void>(baseline->expected(1.7e9));
  } else if (kind == 'n') {
    static_cast<void>(nz::analysis::baseline_from(rest));
  } else if (kind == 'g') {
    static_cast<void>(nz::baselines::group_from(rest));
  } else if (kind == 'w') {
    static_cast<void>(nz::baselines::waiting_from(rest));
  } else {
    read_table(std::move(rest), kind == 's');
  }
  return 0;
}
