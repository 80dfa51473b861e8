#include "tests/workloads/common/workload.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace nz::workload {

void sleep_ns(uint64_t ns) {
  timespec left{static_cast<time_t>(ns / 1'000'000'000u), static_cast<long>(ns % 1'000'000'000u)};
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
  }
}

bool pin_to_cpu(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

namespace {

sigset_t only_sigusr2() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  return set;
}

}  // namespace

void wait_for_sigusr2() {
  std::cerr << "ready pid=" << getpid() << std::endl;
  const sigset_t set = only_sigusr2();
  int signal = 0;
  while (sigwait(&set, &signal) != 0) {
  }
}

bool sigusr2_came() {
  const sigset_t set = only_sigusr2();
  const timespec at_once{};
  return sigtimedwait(&set, nullptr, &at_once) == SIGUSR2;
}

struct Program::Impl {
  Impl(const std::string& description, const std::string& examples) : app(description) {
    app.footer("Examples:\n" + examples);
    app.add_flag("--wait,--wait-for-signal", wait,
                 "Print \"ready pid=N\" to stderr and wait for SIGUSR2 before starting");
    app.add_option("--linger", linger_s, "Stay alive this many seconds after finishing")
        ->check(CLI::NonNegativeNumber);
  }
  CLI::App app;
  bool wait = false;
  double linger_s = 0;
};

Program::Program(const std::string& description, const std::string& examples)
    : impl_(std::make_unique<Impl>(description, examples)) {}
Program::~Program() = default;

Program& Program::option(const std::string& flags, uint64_t& value, const std::string& help) {
  impl_->app.add_option(flags, value, help)->capture_default_str();
  return *this;
}
Program& Program::option(const std::string& flags, double& value, const std::string& help) {
  impl_->app.add_option(flags, value, help)->capture_default_str()->check(CLI::NonNegativeNumber);
  return *this;
}
Program& Program::option(const std::string& flags, std::string& value, const std::string& help) {
  impl_->app.add_option(flags, value, help)->capture_default_str();
  return *this;
}
Program& Program::flag(const std::string& flags, bool& value, const std::string& help) {
  impl_->app.add_flag(flags, value, help);
  return *this;
}
Program& Program::choice(const std::string& flags, std::string& value,
                         std::vector<std::string> allowed, const std::string& help) {
  impl_->app.add_option(flags, value, help)
      ->capture_default_str()
      ->check(CLI::IsMember(std::move(allowed)));
  return *this;
}

void Program::parse(int argc, char** argv) {
  const sigset_t set = only_sigusr2();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  try {
    impl_->app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::exit(impl_->app.exit(e));
  }
}

void Program::start() {
  if (impl_->wait) wait_for_sigusr2();
}

int Program::finish(const nlohmann::json& report) {
  std::cout << report.dump() << std::endl;
  if (impl_->linger_s > 0) sleep_ns(static_cast<uint64_t>(impl_->linger_s * 1e9));
  return 0;
}

}  // namespace nz::workload
