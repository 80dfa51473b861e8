#include "userspace/cli/top.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <deque>

#include "userspace/base/exit_codes.h"
#include "userspace/base/interrupt.h"
#include "userspace/cli/terminal.h"
#include "userspace/cli/top_table.h"

namespace nz::cli {
namespace {

using Clock = std::chrono::steady_clock;

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
  catch_interrupts();
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
    return kNotRunning;
  }
  if (options.once) {
    return write_out(top_table(*before, *before, 1, style)) ? kOk : kFailed;
  }
  const auto start = Clock::now();
  auto last = start;
  std::deque<Moment> past;
  past.push_back({start, std::move(*before)});
  while (!interrupted()) {
    auto next = last + std::chrono::duration_cast<Clock::duration>(interval);
    if (options.duration) {
      const auto end = start + std::chrono::duration_cast<Clock::duration>(
                                   std::chrono::duration<double>(*options.duration));
      if (last >= end) break;
      next = std::min(next, end);
    }
    sleep_until_or_interrupt(next);
    if (interrupted()) break;
    auto now = fetch_live(options.url);
    if (!now) {
      fmt::print(stderr, "nearzero top: {}\n", now.error().text());
      return kNotRunning;
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
      return kFailed;
    past.push_back({last, std::move(*now)});
  }
  return kOk;
}

}  // namespace nz::cli
