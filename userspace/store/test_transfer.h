// Export and import of text in memory.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "userspace/store/export.h"
#include "userspace/store/import.h"
#include "userspace/store/reader.h"

namespace nz::store::testing {

/// All text of an export.
inline std::string export_of(const std::string& path, const ExportOptions& options,
                             Exported* exported = nullptr) {
  auto reader = Reader::open(path);
  EXPECT_TRUE(reader) << reader.error().text();
  std::string text;
  const auto done = export_history(**reader, options, [&](std::string_view piece) {
    text += piece;
    return true;
  });
  EXPECT_TRUE(done) << done.error().text();
  if (done && exported != nullptr) *exported = *done;
  return text;
}

/// An import of a text, as if it were a file.
inline Result<Imported> import_of(const std::string& path, const std::string& text, Format format) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  std::fwrite(text.data(), 1, text.size(), file.get());
  return import_history(path, file.get(),
                        format == Format::csv     ? "test.csv"
                        : format == Format::jsonl ? "test.jsonl"
                                                  : "test.om",
                        format);
}

}  // namespace nz::store::testing
