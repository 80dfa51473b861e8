// How long a scrape of 200 histograms takes to render and to compress. Bound: text under 10 ms in a
// release build. Not part of the tests: `ninja nz_export_bench &&
// userspace/export/bench/nz_export_bench`.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

#include "userspace/export/exposition.h"
#include "userspace/export/test_families.h"
#include "userspace/http/compression.h"

namespace {

// Median and slowest of 101 runs, in milliseconds.
void measure(const char* name, const std::function<std::size_t()>& run) {
  std::vector<double> ms;
  std::size_t bytes = 0;
  for (int i = 0; i < 101; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    bytes = run();
    ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
                     .count());
  }
  std::sort(ms.begin(), ms.end());
  std::printf("%-28s median %7.3f ms  slowest %7.3f ms  %9zu bytes\n", name, ms[50], ms[100],
              bytes);
}

}  // namespace

int main() {
  using namespace nz;
  const std::vector<metrics::Family> families{exposition::testing::histogram_family(200)};
  const std::string text = exposition::render_text(families);
  const std::string protobuf = exposition::render_protobuf(families);
  measure("text, 200 histograms", [&] { return exposition::render_text(families).size(); });
  measure("protobuf, 200 histograms", [&] { return exposition::render_protobuf(families).size(); });
  measure("gzip of the text", [&] { return http::gzip(text)->size(); });
  measure("gzip of the protobuf", [&] { return http::gzip(protobuf)->size(); });
}
