#include "userspace/resources/open_files.h"

#include "userspace/resources/text.h"

namespace nz::resources {

std::optional<std::pair<uint64_t, uint64_t>> parse_file_nr(std::string_view text) {
  const auto line = Lines(text).next();
  if (!line) return std::nullopt;
  Words words(*line);
  const auto allocated = words.number();
  const auto unused = words.number();
  const auto limit = words.number();
  if (!allocated || !unused || !limit || *unused > *allocated) return std::nullopt;
  return std::pair(*allocated - *unused, *limit);
}

void OpenFiles::collect(Context& context) {
  const auto text = file_nr_.read(context.buffer);
  const auto files = text ? parse_file_nr(*text) : std::nullopt;
  if (!files) {
    context.errors.count(Source::open_files);
    return;
  }
  Rows rows(context, "nearzero_host_open_files", "Open files of the host, and their limit.",
            kGauge);
  rows.add({{"kind", "used"}}, static_cast<double>(files->first));
  rows.add({{"kind", "limit"}}, static_cast<double>(files->second));
}

}  // namespace nz::resources
