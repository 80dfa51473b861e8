#include "userspace/agent/instance.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace nz::agent {
namespace {

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return fail("runtime_dir: " + path + " is too long for a socket",
                "at most " + std::to_string(sizeof(address.sun_path) - 1) + " characters");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

constexpr size_t kMostClients = 64;  // silent ones beyond that are dropped

using Clock = std::chrono::steady_clock;

bool wait_for(int fd, short events, Clock::time_point end) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
  pollfd p{fd, events, 0};
  return poll(&p, 1, static_cast<int>(std::max<int64_t>(0, left))) > 0;
}

// An answer fits into the socket's buffer; a client that reads nothing at all must not hold the
// agent.
void send_all(int fd, const std::string& text) {
  const auto end = Clock::now() + std::chrono::milliseconds(200);
  size_t sent = 0;
  while (sent < text.size() && wait_for(fd, POLLOUT, end)) {
    const ssize_t n = send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n <= 0) return;
    sent += static_cast<size_t>(n);
  }
}

}  // namespace

Result<Fd> lock_instance(const std::string& runtime_dir) {
  if (mkdir(runtime_dir.c_str(), 0755) != 0 && errno != EEXIST) {
    return fail_errno("create " + runtime_dir, errno, "run as root, or set runtime_dir");
  }
  const std::string path = runtime_dir + "/agent.lock";
  Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) return fail_errno("open " + path, errno, "run as root, or set runtime_dir");
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 32> pid{};
    if (read(fd.get(), pid.data(), pid.size() - 1) < 0) pid[0] = '\0';
    return fail(std::string("another nearzero agent runs on this host, pid ") + pid.data(),
                "use that one, stop it, or give this one another runtime_dir and listen address",
                EWOULDBLOCK);
  }
  const std::string pid = std::to_string(getpid());
  if (ftruncate(fd.get(), 0) != 0 || write(fd.get(), pid.c_str(), pid.size()) < 0) {
    return fail_errno("write " + path, errno);
  }
  return fd;
}

ControlSocket::ControlSocket(Fd listener, Fd ready, std::string path, Handler handler)
    : listener_(std::move(listener)),
      ready_(std::move(ready)),
      path_(std::move(path)),
      handler_(std::move(handler)) {}

ControlSocket::~ControlSocket() {
  if (listener_.valid()) unlink(path_.c_str());
}

Result<ControlSocket> ControlSocket::open(const std::string& runtime_dir, Handler handler) {
  const std::string path = runtime_dir + "/agent.sock";
  auto address = address_of(path);
  if (!address) return tl::unexpected(address.error());
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  unlink(path.c_str());  // left by a killed agent: we hold the lock, so it is not in use
  // Never reachable for others, not even between bind and chmod.
  const mode_t before = umask(0177);
  const bool bound = fd.valid() && bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address),
                                        sizeof(*address)) == 0;
  const int error = errno;
  umask(before);
  if (!bound)
    return fail_errno("open the control socket " + path, error, "choose another runtime_dir");
  Fd ready(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd.get();
  if (listen(fd.get(), 64) != 0 || epoll_ctl(ready.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) {
    return fail_errno("open the control socket " + path, errno);
  }
  return ControlSocket(std::move(fd), std::move(ready), path, std::move(handler));
}

void ControlSocket::accept_all() {
  for (;;) {
    Fd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client.valid()) return;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.fd = client.get();
    if (epoll_ctl(ready_.get(), EPOLL_CTL_ADD, client.get(), &event) != 0) continue;
    if (clients_.size() >= kMostClients) clients_.erase(clients_.begin());
    const int number = client.get();
    clients_[number] = std::move(client);
  }
}

void ControlSocket::answer() {
  std::array<epoll_event, kMostClients + 1> ready{};
  const int n = epoll_wait(ready_.get(), ready.data(), static_cast<int>(ready.size()), 0);
  for (int i = 0; i < n; i++) {
    const int fd = ready[static_cast<size_t>(i)].data.fd;
    if (fd == listener_.get()) {
      accept_all();
      continue;
    }
    const auto found = clients_.find(fd);
    if (found == clients_.end()) continue;
    const Fd client = std::move(found->second);
    clients_.erase(found);
    std::array<char, 4096> line{};  // a silence has conditions and a comment
    const ssize_t length = read(client.get(), line.data(), line.size());
    if (length <= 0) continue;  // gone without a word
    std::string command(line.data(), static_cast<size_t>(length));
    command.resize(std::min(command.size(), command.find('\n')));
    send_all(client.get(), handler_(command));
  }
}

Result<std::string> send_command(const std::string& runtime_dir, const std::string& command) {
  const std::string path = runtime_dir + "/agent.sock";
  auto address = address_of(path);
  if (!address) return tl::unexpected(address.error());
  const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail_errno("open a socket", errno);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0) {
    return fail_errno("reach the agent at " + path, errno,
                      errno == EACCES ? "run as root" : "is it running? start it: nearzero agent");
  }
  const std::string line = command + "\n";
  if (send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0)
    return fail_errno("ask the agent", errno);
  std::string answer;
  std::array<char, 4096> chunk{};
  const auto end = Clock::now() + std::chrono::seconds(30);
  while (wait_for(fd.get(), POLLIN, end)) {
    const ssize_t n = read(fd.get(), chunk.data(), chunk.size());
    if (n <= 0) return answer;
    answer.append(chunk.data(), static_cast<size_t>(n));
  }
  return fail("the agent did not answer within 30 s", "see its log");
}

}  // namespace nz::agent
