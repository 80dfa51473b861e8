// Computes in two functions, for known parts of its time on CPU; and tells how much of its time was
// taken from it in gaps too short for the scheduler.

#include <array>

#include "tests/workloads/common/workload.h"

#define NZ_SAMPLED __attribute__((noinline, used))

// A leaf gets no frame of its own unless it asks for its address; then its caller is missing in
// stacks.
#define NZ_WITH_FRAME asm volatile("" ::"r"(__builtin_frame_address(0)) : "memory")

namespace hot {

// Both compute without a call, so that a sample of their time is in them.
class Book {
 public:
  NZ_SAMPLED uint64_t match(uint64_t rounds) {
    NZ_WITH_FRAME;
    for (uint64_t i = 0; i < rounds; i++) {
      state_ ^= state_ << 13;
      state_ ^= state_ >> 7;
      state_ ^= state_ << 17;
    }
    return state_;
  }

 private:
  uint64_t state_ = 88172645463325252;
};

template <typename T>
NZ_SAMPLED T price(T value, uint64_t rounds) {
  NZ_WITH_FRAME;
  for (uint64_t i = 0; i < rounds; i++) {
    value ^= value << 13;
    value ^= value >> 7;
    value ^= value << 17;
  }
  return value;
}

// Where both are called from: a frame that a stack must show.
NZ_SAMPLED uint64_t trade(Book& book, uint64_t match_rounds, uint64_t price_rounds) {
  uint64_t result = 0;
  if (match_rounds > 0) result += book.match(match_rounds);
  if (price_rounds > 0) result += price<uint64_t>(result + 1, price_rounds);
  asm volatile("" ::"r"(result) : "memory");
  return result;
}

// Deep enough for a walk to have something to do.
NZ_SAMPLED uint64_t gaps(uint64_t ns, uint64_t least, int depth, uint64_t& taken) {
  if (depth > 0) {
    const uint64_t count = gaps(ns, least, depth - 1, taken);
    asm volatile("" ::: "memory");
    return count;
  }
  uint64_t count = 0;
  const uint64_t end = nz::workload::now_ns() + ns;
  for (uint64_t before = nz::workload::now_ns(); before < end;) {
    const uint64_t now = nz::workload::now_ns();
    if (now - before >= least) {
      taken += now - before;
      count++;
    }
    before = now;
  }
  return count;
}

}  // namespace hot

int main(int argc, char** argv) {
  using namespace nz::workload;
  double share = 0.7;
  double seconds = 5;
  double then_share = 0;
  double then_seconds = 0;
  uint64_t gap_ns = 0;
  Program program("nz-hot: hot::Book::match and hot::price for known parts of the time on CPU",
                  "  nz-hot --share 0.7 --seconds 5\n"
                  "  nz-hot --share 0.7 --seconds 20 --then-share 0.2 --then-seconds 10 --wait\n"
                  "  nz-hot --gaps 400 --seconds 2");
  program.option("--share", share, "Part of the time in hot::Book::match, 0 to 1")
      .option("--seconds", seconds, "How long, of its own time on CPU")
      .option("--then-share", then_share, "The part after that")
      .option("--then-seconds", then_seconds, "and for how long; 0: not at all")
      .option("--gaps", gap_ns,
              "Instead: reads the clock, and adds up gaps of at least so many ns; they are what "
              "interrupts take");
  program.parse(argc, argv);
  program.start();
  if (gap_ns > 0) {
    uint64_t taken = 0;
    const auto ns = static_cast<uint64_t>(seconds * 1e9);
    const uint64_t count = hot::gaps(ns, gap_ns, 20, taken);
    return program.finish({{"gaps", count},
                           {"taken_ns", taken},
                           {"taken_ns_per_second", static_cast<double>(taken) / seconds}});
  }

  hot::Book book;
  constexpr uint64_t kCalibration = 2'000'000;
  const uint64_t begin = thread_cpu_ns();
  hot::trade(book, kCalibration, kCalibration);
  const double per_ns =
      2.0 * kCalibration / static_cast<double>(std::max<uint64_t>(1, thread_cpu_ns() - begin));
  // A round is 1 ms, far below the distance of two samples.
  nlohmann::json phases = nlohmann::json::array();
  for (const auto& [part, length] : {std::pair{share, seconds}, {then_share, then_seconds}}) {
    if (length <= 0) continue;
    std::array<uint64_t, 2> spent{};
    while (spent[0] + spent[1] < static_cast<uint64_t>(length * 1e9)) {
      const uint64_t start = thread_cpu_ns();
      hot::trade(book, static_cast<uint64_t>(1e6 * part * per_ns), 0);
      const uint64_t between = thread_cpu_ns();
      hot::trade(book, 0, static_cast<uint64_t>(1e6 * (1 - part) * per_ns));
      spent[0] += between - start;
      spent[1] += thread_cpu_ns() - between;
    }
    phases.push_back({{"match_ns", spent[0]}, {"price_ns", spent[1]}});
  }
  return program.finish({{"phases", phases}});
}
