// A file in memory for tests of readers.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "userspace/analyze/csv.h"

namespace nz::analyze {

inline Result<CsvSeries> read_text(std::string text, const CsvOptions& options = {}) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  // fmemopen refuses an empty file before glibc 2.22, and a newline is one, too.
  if (text.empty()) text = "\n";
  const std::unique_ptr<std::FILE, Close> file(fmemopen(text.data(), text.size(), "r"));
  return read_csv(file.get(), "orders.csv", options);
}

}  // namespace nz::analyze
