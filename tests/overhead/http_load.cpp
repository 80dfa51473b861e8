// nz-http-load: requests at a fixed rate, whether or not the answers keep up, and how late each
// answer is. The time counts from when a request was due: a server that stalls is charged for
// everything that waited (coordinated omission).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace {

double now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

struct Connection {
  int fd = -1;
  bool busy = false;
  double due = 0;
  std::string answer;
  size_t whole = 0;  // bytes of the answer with its body; 0: the header is not in yet
};

int dial(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    std::perror("nz-http-load: connect");
    std::exit(1);
  }
  return fd;
}

// Reads what is there; true when the answer is complete. Ends the program when the server closes.
bool advance(Connection& c) {
  char chunk[65536];
  const ssize_t n = recv(c.fd, chunk, sizeof(chunk), MSG_DONTWAIT);
  if (n == 0) {
    std::fprintf(stderr, "nz-http-load: the server closed a connection\n");
    std::exit(1);
  }
  if (n < 0) return false;
  c.answer.append(chunk, static_cast<size_t>(n));
  if (c.whole == 0) {
    const size_t end = c.answer.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const char* length = strcasestr(c.answer.c_str(), "\r\ncontent-length:");
    c.whole = end + 4 + (length == nullptr ? 0 : std::strtoul(length + 17, nullptr, 10));
  }
  return c.answer.size() >= c.whole;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(stderr, "usage: nz-http-load PORT RATE SECONDS CONNECTIONS PATH...\n");
    return 2;
  }
  const int port = std::atoi(argv[1]);
  const double rate = std::atof(argv[2]);
  const auto total = static_cast<size_t>(rate * std::atof(argv[3]));
  std::vector<Connection> connections(static_cast<size_t>(std::atoi(argv[4])));
  std::vector<std::string> requests;
  for (int i = 5; i < argc; i++)
    requests.push_back(std::string("GET ") + argv[i] + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  for (Connection& c : connections) c.fd = dial(port);

  std::vector<double> late;
  std::map<std::string, size_t> statuses;
  size_t sent = 0, bytes = 0;
  size_t turn = 0;  // in turn: a connection that rests too long is closed by the server
  std::vector<pollfd> waiting(connections.size());
  const double start = now();
  while (late.size() < total) {
    for (size_t i = 0; i < connections.size(); i++) {
      Connection& c = connections[turn++ % connections.size()];
      const double due = start + static_cast<double>(sent) / rate;
      if (sent == total || due > now()) {
        turn--;
        break;
      }
      if (c.busy) continue;
      const std::string& request = requests[sent++ % requests.size()];
      c = {c.fd, true, due, {}, 0};
      if (send(c.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return 1;
    }
    for (size_t i = 0; i < connections.size(); i++)
      waiting[i] = {connections[i].busy ? connections[i].fd : -1, POLLIN, 0};
    const double wait =
        sent == total ? 0.1
                      : std::clamp(start + static_cast<double>(sent) / rate - now(), 0.0, 0.1);
    const timespec timeout{0, static_cast<long>(wait * 1e9)};
    ppoll(waiting.data(), waiting.size(), &timeout, nullptr);
    for (size_t i = 0; i < connections.size(); i++) {
      Connection& c = connections[i];
      if (waiting[i].fd < 0 || waiting[i].revents == 0 || !advance(c)) continue;
      late.push_back(now() - c.due);
      bytes += c.answer.size();
      statuses[c.answer.substr(9, 3)]++;
      c.busy = false;
    }
  }
  const double seconds = now() - start;
  std::sort(late.begin(), late.end());
  const auto ms = [&](double q) {
    return late[std::min(late.size() - 1,
                         static_cast<size_t>(q * static_cast<double>(late.size())))] *
           1e3;
  };
  std::printf(
      "{\"requests\": %zu, \"per_second\": %.1f, \"bytes\": %zu, \"p50_ms\": %.3f, "
      "\"p90_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, \"max_ms\": %.3f, \"statuses\": {",
      late.size(), static_cast<double>(late.size()) / seconds, bytes / late.size(), ms(0.5),
      ms(0.9), ms(0.99), ms(0.999), late.back() * 1e3);
  const char* comma = "";
  for (const auto& [status, n] : statuses) {
    std::printf("%s\"%s\": %zu", comma, status.c_str(), n);
    comma = ", ";
  }
  std::printf("}}\n");
  return 0;
}
