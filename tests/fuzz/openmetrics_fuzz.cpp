// Lines of OpenMetrics text, as an import of history reads them.
#include "tests/fuzz/input.h"
#include "userspace/export/histogram_text.h"
#include "userspace/store/openmetrics_line.h"

namespace {

using namespace nz;

// What was read of the labels is read again where an export has written it.
void check_labels(metrics::Labels labels) {
  for (std::size_t i = 0; i < labels.size(); i++) labels[i].first = "l" + std::to_string(i);
  const auto again =
      store::read_openmetrics("g{" + exposition::label_list(labels) + "} 1 1699920060");
  fuzz::require(again.has_value(), "labels that an export wrote can be read");
  const auto* sample = std::get_if<store::OpenMetricsSample>(&*again);
  fuzz::require(sample != nullptr && sample->labels == labels, "labels read back");
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input input(data, size);
  while (!input.empty()) {
    const std::string line = input.line();
    const auto read = store::read_openmetrics(line);
    if (!read) {
      fuzz::require(read.error().code > 0 && !read.error().what.empty(),
                    "an error says what is wrong, and where");
      continue;
    }
    const auto* sample = std::get_if<store::OpenMetricsSample>(&*read);
    if (sample == nullptr) continue;
    fuzz::require(!sample->name.empty() && sample->at > 0, "a sample has a name and a time");
    check_labels(sample->labels);
  }
  return 0;
}
