#include "userspace/cli/top.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <deque>
#include <thread>

#include "userspace/agent/exit_codes.h"
#include "userspace/cli/terminal.h"
#include "userspace/cli/top_table.h"

namespace nz::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void on_interrupt(int) { interrupted = 1; }

using Clock = std::chrono::steady_clock;

// Sleeps in slices, so that Ctrl-C is obeyed at once.
void wait_until(Clock::time_point when) {
  while (interrupted == 0 && Clock::now() < when) {
    std::this_thread::sleep_for(
        std::min<Clock::duration>(std::chrono::milliseconds(50), when - Clock::now()));
  }
}

// False when the reader has gone (`nearzero top | head`).
bool write_out(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
         std::fflush(stdout) == 0;
}

// With a duty cycle a window has to hold a whole period of it (userspace/agent/duty_cycle.h).
constexpr std::chrono::milliseconds kWholePeriod{5000};

struct Moment {
  Clock::time_point at;
  LiveData data;
};

// The youngest that is old enough to compare with, or the oldest there is; what is older goes.
const Moment& begin_of_window(std::deque<Moment>& past, Clock::time_point now, bool pauses) {
  const auto enough = now - (pauses ? kWholePeriod : std::chrono::milliseconds(0));
  while (past.size() > 1 && past[1].at <= enough) past.pop_front();
  return past.front();
}

std::string head(const TopOptions& options, double seconds) {
  return fmt::format("nearzero top  {}  window {:.1f} s  (Ctrl-C ends)\n\n", options.url, seconds);
}

}  // namespace

int top(const TopOptions& options) {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  std::signal(SIGPIPE, SIG_IGN);
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  // Without a terminal every table stays: fewer of them.
  const auto interval =
      std::chrono::duration<double>(terminal ? options.interval : std::max(options.interval, 2.0));
  TableStyle style;
  style.width = terminal_width();
  style.colour = wants_colour();

  auto before = fetch_live(options.url);
  if (!before) {
    fmt::print(stderr, "nearzero top: {}\n", before.error().text());
    return agent::kNotRunning;
  }
  if (options.once) {
    return write_out(top_table(*before, *before, 1, style)) ? agent::kOk : agent::kFailed;
  }
  const auto start = Clock::now();
  auto last = start;
  std::deque<Moment> past;
  past.push_back({start, std::move(*before)});
  while (interrupted == 0) {
    auto next = last + std::chrono::duration_cast<Clock::duration>(interval);
    if (options.duration) {
      const auto end = start + std::chrono::duration_cast<Clock::duration>(
                                   std::chrono::duration<double>(*options.duration));
      if (last >= end) break;
      next = std::min(next, end);
    }
    wait_until(next);
    if (interrupted != 0) break;
    auto now = fetch_live(options.url);
    if (!now) {
      fmt::print(stderr, "nearzero top: {}\n", now.error().text());
      return agent::kNotRunning;
    }
    last = Clock::now();
    const Moment& begin = begin_of_window(past, last, has_pauses(*now));
    const double seconds = std::chrono::duration<double>(last - begin.at).count();
    style.width = terminal_width();
    LiveData window = now->since(begin.data);
    for (auto moment = past.begin() + 1; moment != past.end(); ++moment)
      window.take_extremes_of(moment->data);
    const std::string table = head(options, seconds) + top_table(window, *now, seconds, style);
    // Home and clear to the end: no flicker.
    if (!write_out((terminal ? "\033[H\033[J" : "") + table + (terminal ? "" : "\n")))
      return agent::kFailed;
    past.push_back({last, std::move(*now)});
  }
  return agent::kOk;
}

}  // namespace nz::cli
