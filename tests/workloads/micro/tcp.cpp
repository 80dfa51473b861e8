// A byte goes to and fro on a connection over loopback: two segments in and two reads a round trip.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "tests/workloads/common/workload.h"

namespace {

int must(long result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return static_cast<int>(result);
}

struct Connection {
  int asks = -1, answers = -1;
};

Connection connect_to_self() {
  const int listener = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  must(bind(listener, generic, length), "bind");
  must(listen(listener, 1), "listen");
  must(getsockname(listener, generic, &length), "getsockname");
  Connection c;
  c.asks = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  must(connect(c.asks, generic, length), "connect");
  c.answers = must(accept(listener, nullptr, nullptr), "accept");
  close(listener);
  const int now = 1;
  for (const int fd : {c.asks, c.answers})
    must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now), "TCP_NODELAY");
  return c;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace nz::workload;
  uint64_t count = 100'000;
  Program program("nz-tcp: a byte to and fro over loopback, by one thread",
                  "  nz-tcp --count 200000\n  nz-tcp --wait");
  program.option("--count", count, "Round trips");
  program.parse(argc, argv);
  program.start();

  // One thread, which never waits: loopback delivers within send().
  const Connection c = connect_to_self();
  char byte = 0;
  uint64_t failed = 0;
  const double per_trip = median_ns_per_op(count, [&] {
    failed += send(c.asks, &byte, 1, 0) != 1 || recv(c.answers, &byte, 1, 0) != 1;
    failed += send(c.answers, &byte, 1, 0) != 1 || recv(c.asks, &byte, 1, 0) != 1;
  });
  close(c.asks);
  close(c.answers);
  return program.finish({{"program", "nz-tcp"},
                         {"round_trips", count},
                         {"failed", failed},
                         {"ns_per_round_trip", per_trip}});
}
