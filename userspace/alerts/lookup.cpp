#include "userspace/alerts/lookup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "userspace/base/guard.h"

namespace nz::alerts {
namespace {

constexpr std::size_t kMostAddresses = 8;  // each is tried for a receiver's timeout

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> binary{};
  return inet_pton(AF_INET, host.c_str(), binary.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), binary.data()) == 1;
}

}  // namespace

Result<Lookup::Addresses> resolve_by_system(const std::string& host) {
  const char* remedy = "is the URL right, and do name servers answer?";
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  const int number = errno;
  if (error == EAI_SYSTEM) return fail_errno("no address of " + host, number, remedy);
  if (error != 0) return fail("no address of " + host + ": " + gai_strerror(error), remedy);
  const std::unique_ptr<addrinfo, FreeAddresses> owned(list);
  Lookup::Addresses found;
  for (const addrinfo* one = list; one != nullptr && found.size() < kMostAddresses;
       one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};  // with the zone of an address of one link
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), static_cast<socklen_t>(text.size()),
                    nullptr, 0, NI_NUMERICHOST) == 0)
      found.emplace_back(text.data());
  }
  if (found.empty()) return fail("no address of " + host, remedy);
  return found;
}

struct Lookup::Shared {
  Shared(std::string name, Resolve how) : host(std::move(name)), resolve(std::move(how)) {}

  const std::string host;
  const Resolve resolve;

  std::mutex mutex;
  std::condition_variable wake;
  bool asking = false, stopped = false;
  std::optional<Result<Addresses>> answer;  // of the last question; none: it threw
};

Lookup::Lookup(std::string host, Resolve resolve)
    : shared_(std::make_shared<Shared>(
          std::move(host), resolve ? std::move(resolve) : Resolve(resolve_by_system))) {}

const std::string& Lookup::host() const { return shared_->host; }

void Lookup::ask(const std::shared_ptr<Shared>& shared) {
  std::optional<Result<Addresses>> answer;
  Guard().run("looking up a receiver's address",
              [&] { answer.emplace(shared->resolve(shared->host)); });
  const std::lock_guard lock(shared->mutex);
  shared->answer = std::move(answer);
  shared->asking = false;
  shared->wake.notify_all();
}

Result<Lookup::Addresses> Lookup::find(double seconds) {
  std::unique_lock lock(shared_->mutex);
  if (!shared_->stopped && is_address(shared_->host)) return Addresses{shared_->host};
  if (!shared_->stopped && !shared_->asking) {
    try {
      std::thread([shared = shared_] { ask(shared); }).detach();
    } catch (const std::system_error& e) {
      return fail(std::string("no thread to look up an address: ") + e.what(),
                  "raise the limit of tasks", e.code().value());
    }
    shared_->asking = true;
  }
  const bool in_time = shared_->wake.wait_for(lock, std::chrono::duration<double>(seconds), [this] {
    return shared_->stopped || !shared_->asking;
  });
  if (shared_->stopped) return fail("stopping", "", ECANCELED);
  if (!in_time)
    return fail("no address of " + shared_->host + " in time", "do name servers answer?",
                ETIMEDOUT);
  if (!shared_->answer) return fail("looking up " + shared_->host + " failed", "see the log");
  return std::move(*shared_->answer);
}

void Lookup::stop() {
  const std::lock_guard lock(shared_->mutex);
  shared_->stopped = true;
  shared_->wake.notify_all();
}

}  // namespace nz::alerts
