// What history on disk costs: a month of a host through the real writer, then size, queries from a
// warm and from a cold page cache, and the CPU time of writing. `scripts/bench store`.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "userspace/store/answers.h"
#include "userspace/store/database.h"
#include "userspace/store/load.h"
#include "userspace/store/store.h"

namespace {

using namespace nz;
using Clock = std::chrono::steady_clock;

constexpr double kMidnight = 1'699'920'000;

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Whatever runs beside the main thread: the writer.
double writer_cpu() { return cpu_seconds(RUSAGE_SELF) - cpu_seconds(RUSAGE_THREAD); }

struct Spread {
  double median = 0, most = 0;
};
Spread spread(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values[values.size() / 2], values.back()};
}

// Out of the page cache, as far as nobody else holds it.
void forget_pages(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  fdatasync(fd);
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  close(fd);
}

void query(const std::string& path, const char* what, bool cold,
           const std::function<std::size_t(store::Reader&, int)>& ask) {
  std::vector<double> times;
  std::size_t points = 0;
  for (int i = 0; i < 30; i++) {
    auto reader = store::Reader::open(path);
    if (!reader) std::exit(1);
    if (cold) forget_pages(path);
    const auto begin = Clock::now();
    points = ask(**reader, i);
    times.push_back(ms_since(begin));
  }
  const Spread s = spread(times);
  fmt::print("{:<52} {:<5} median {:7.1f} ms  slowest {:7.1f} ms  ({} points)\n", what,
             cold ? "cold" : "warm", s.median, s.most, points);
}

}  // namespace

int main(int argc, char** argv) {
  int days = 30;
  int histograms = 200;
  int scalars = 800;
  std::string folder = std::filesystem::temp_directory_path().string();
  bool keep = false;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--days") days = std::atoi(argv[i + 1]);
    if (name == "--histograms") histograms = std::atoi(argv[i + 1]);
    if (name == "--scalars") scalars = std::atoi(argv[i + 1]);
    if (name == "--folder") folder = argv[i + 1];
    if (name == "--keep") keep = std::string(argv[i + 1]) == "yes";
  }
  const std::string path = folder + fmt::format("/nz-store-bench-{}.db", getpid());
  const auto remove = [&] {
    for (const char* part : {"", "-wal", "-shm", ".lock"}) std::filesystem::remove(path + part);
  };
  remove();
  // A month is written in intervals of a minute and two drains each, so that gauges have a spread.
  auto opened = store::Store::open({.path = path, .resolution = 60});
  if (!opened) {
    fmt::print(stderr, "{}\n", opened.error().text());
    return 1;
  }
  store::testing::Load load(histograms, scalars);
  double at = kMidnight;
  const auto drain = [&](double step) {
    at += step;
    (*opened)->add(at, std::make_shared<const std::vector<metrics::Family>>(load.next(step)), at);
  };

  // ---- a month, a drain a minute
  const auto begin = Clock::now();
  double cpu = writer_cpu();
  for (int minute = 0; minute < days * 1440; minute++) {
    drain(30);
    drain(30);
    if (!(*opened)->flush()) return 1;
    if (minute % 1440 == 0 && isatty(STDERR_FILENO) != 0)
      fmt::print(stderr, "\r\033[Kday {} of {}", minute / 1440 + 1, days);
  }
  if (!(*opened)->flush()) return 1;
  if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K");
  cpu = writer_cpu() - cpu;
  const auto sizes = store::sizes_of(path);
  fmt::print("{} days, {} histograms, {} scalars, each minute: {:.0f} MB (log {:.1f} MB)\n", days,
             histograms, scalars, static_cast<double>(sizes.database) / 1048576,
             static_cast<double>(sizes.wal) / 1048576);
  fmt::print("written in {:.0f} s, of which the writer's CPU {:.1f} s\n", ms_since(begin) / 1e3,
             cpu);

  // ---- questions
  const double end = at;
  const double month = days * 86400.0;
  const auto trend = [&](const char* family, int modulo, std::optional<double> q, double step) {
    return [=](store::Reader& reader, int i) {
      const std::string label = std::to_string(i * 7 % modulo);
      const auto answer =
          store::trends(reader, {family, {{"i", label}}, q, false}, end - month, end, step);
      return answer && !answer->empty() ? answer->front().points.size() : 0;
    };
  };
  for (const bool cold : {false, true}) {
    query(path, "all of one histogram: p99, each hour", cold,
          trend("load_latency_seconds", histograms, 0.99, 3600));
    query(path, "all of one histogram: p99, each 5 minutes", cold,
          trend("load_latency_seconds", histograms, 0.99, 300));
    query(path, "all of one counter: rate, each hour", cold,
          trend("load_events_total", 1, {}, 3600));
    query(path, "window of all series, last hour", cold, [&](store::Reader& reader, int) {
      const auto answer = store::window(reader, end - 3600, end, {});
      return answer ? answer->series.size() : 0;
    });
    query(path, "window of all series, last 24 hours", cold, [&](store::Reader& reader, int) {
      const auto answer = store::window(reader, end - 86400, end, {});
      return answer ? answer->series.size() : 0;
    });
  }

  // ---- as it runs: a drain a second, a commit each ten
  opened->reset();
  opened = store::Store::open({.path = path});
  if (!opened) return 1;
  constexpr int kSeconds = 3600;
  cpu = writer_cpu();
  for (int s = 0; s < kSeconds; s++) {
    drain(1);
    if (s % 3 == 0 && !(*opened)->flush()) return 1;
  }
  if (!(*opened)->flush()) return 1;
  fmt::print("a drain a second: the writer takes {:.2f} % of a core\n",
             (writer_cpu() - cpu) / kSeconds * 100);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("memory of all of this at most: {:.0f} MB\n",
             static_cast<double>(usage.ru_maxrss) / 1024);
  opened->reset();
  if (!keep) remove();
  return 0;
}
