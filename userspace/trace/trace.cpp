#include "userspace/trace/trace.h"

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <iostream>

#include "userspace/base/exit_codes.h"
#include "userspace/base/interrupt.h"
#include "userspace/cli/terminal.h"
#include "userspace/trace/session.h"

namespace nz::trace {
namespace {

using Clock = std::chrono::steady_clock;

// What was recorded is fetched this often, and the breaker looks.
constexpr std::chrono::milliseconds kTick{500};
// An estimate may be low; twice the budget is not meant by anybody.
constexpr double kBreakerFactor = 2;

// In one object of JSON; the terminal shows them as they come.
constexpr size_t kMostSlowAtOnce = 10'000;

int give_up(const Error& error) {
  fmt::print(stderr, "nearzero trace: {}\n", error.text());
  switch (error.code) {
    case EPERM:
    case EACCES:
      return kNoPrivilege;
    case ENOTSUP:
      return kUnsupported;
    case ESRCH:
    case ENOENT:
      return kNotFound;
    default:
      return kFailed;
  }
}

// Whether to go on although it is dear.
bool confirmed(const Request& request, const Estimate& estimate) {
  if (request.yes || estimate.share <= request.budget) return true;
  fmt::print(stderr,
             "nearzero trace: this would take about {:.3g} % of a core (allowed: {:.3g} %): {}\n",
             estimate.share * 100, request.budget * 100, estimate.text);
  if (isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0) {
    fmt::print(stderr, "Not attached. --yes attaches all the same; -p narrows it.\n");
    return false;
  }
  fmt::print(stderr, "Attach all the same? [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

class Run {
 public:
  Run(const Request& request, Session& session)
      : request_(request), session_(session), report_(request, session.names()) {}

  int loop() {
    const auto start = Clock::now();
    const auto after = [start](double seconds) {
      return start +
             std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    };
    constexpr auto kNever = Clock::time_point::max();
    auto end = request_.duration ? after(*request_.duration) : kNever;
    if (request_.interval > 0 && request_.count > 0)
      end = std::min(end, after(request_.interval * static_cast<double>(request_.count)));
    uint64_t outputs = 0;
    began_ = start;
    for (;;) {
      const auto output = request_.interval > 0
                              ? after(request_.interval * static_cast<double>(outputs + 1))
                              : kNever;
      const auto wake = std::min({Clock::now() + kTick, output, end});
      wait_until(wake);
      const auto now = Clock::now();
      const bool over = interrupted() || now >= end || everybody_left();
      if (over) session_.detach();
      collect();
      if (tripped_) session_.detach();
      const bool done = over || tripped_;
      if (done || now >= output) {
        outputs++;
        if (!print(done)) return kFailed;
      }
      if (done) break;
    }
    return tripped_ ? kRefused : kOk;
  }

 private:
  void wait_until(Clock::time_point when) {
    while (!interrupted() && !left_early_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - Clock::now());
      if (left.count() <= 0) return;
      std::array<pollfd, 2> fds{{{session_.poll_fd(), POLLIN, 0}, {interrupt_fd(), POLLIN, 0}}};
      poll(fds.data(), fds.size(), static_cast<int>(left.count()));  // at most kTick
      session_.consume();
      print_slow();
      left_early_ = everybody_left();
    }
  }
  // The one process that was asked for has ended.
  [[nodiscard]] bool everybody_left() const {
    return request_.match.pid && session_.members() == 0;
  }

  void collect() {
    session_.consume();
    print_slow();
    const auto now = Clock::now();
    const double cost = session_.collect(interval_);
    const double seconds = std::chrono::duration<double>(now - last_collect_).count();
    last_collect_ = now;
    // A window too short says nothing.
    if (seconds < 0.2 || request_.yes) return;
    share_ = cost / seconds;
    tripped_ = share_ > kBreakerFactor * request_.budget;
  }

  void print_slow() {
    for (Slow& slow : session_.take_slow()) {
      if (request_.json && slow_.size() < kMostSlowAtOnce)
        slow_.push_back(std::move(slow));
      else if (request_.json)
        interval_.lost[fmt::format("slow events beyond {} an interval", kMostSlowAtOnce)]++;
      else
        written_ = cli::write_out(Report::as_text(slow)) && written_;
    }
  }

  bool print(bool last) {
    const auto now = Clock::now();
    interval_.seconds = std::chrono::duration<double>(now - began_).count();
    interval_.last = last;
    const std::string text =
        request_.json ? report_.as_json(interval_, slow_) : report_.as_text(interval_);
    written_ = cli::write_out(text) && written_;
    if (tripped_)
      fmt::print(stderr,
                 "nearzero trace: detached: it took {:.3g} % of a core (allowed: {:.3g} %); --yes "
                 "goes on all the same\n",
                 share_ * 100, request_.budget * 100);
    if (last && everybody_left() && !interrupted())
      fmt::print(stderr, "nearzero trace: process {} has ended\n", *request_.match.pid);
    interval_ = {};
    slow_.clear();
    began_ = now;
    if (!written_) fmt::print(stderr, "nearzero trace: the output cannot be written\n");
    return written_;
  }

  const Request& request_;
  Session& session_;
  Report report_;
  Interval interval_;
  std::vector<Slow> slow_;
  Clock::time_point began_ = Clock::now(), last_collect_ = Clock::now();
  double share_ = 0;
  bool tripped_ = false, written_ = true, left_early_ = false;
};

}  // namespace

int run(const Request& request) {
  spdlog::set_level(spdlog::level::off);  // the agent's log; what matters here is said on stderr
  if (request.match.pid && !targets::read_process(*request.match.pid))
    return give_up(
        Error{fmt::format("no process {}", *request.match.pid), "see `ps` for what runs", ESRCH});
  catch_interrupts();
  Session session(request);
  auto loaded = session.load();
  if (!loaded) return give_up(loaded.error());
  if (!confirmed(request, session.estimate())) return kRefused;
  if (interrupted()) return kOk;
  auto attached = session.attach();
  if (!attached) return give_up(attached.error());
  for (const std::string& note : session.notes()) fmt::print(stderr, "note: {}\n", note);
  for (const std::string& failure : session.failures()) fmt::print(stderr, "note: {}\n", failure);
  if (!request.match.empty() && session.members() == 0)
    fmt::print(stderr, "note: no process is {} now; waiting for one\n", request.whose);
  if (!request.json)
    fmt::print(stderr, "Tracing {}. Ctrl-C ends and prints.\n",
               request.whose.empty() ? "everybody" : request.whose);
  Run run(request, session);
  return run.loop();
}

}  // namespace nz::trace
