// A FIX 4.2 client on a plain socket: logs on, sends limit orders that match in pairs at a given
// rate, counts the execution reports, logs out. Can start nz-ordermatch itself.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string_view>
#include <system_error>

#include "tests/free_port.h"
#include "tests/workloads/common/sockets.h"
#include "tests/workloads/common/workload.h"

namespace {

using nz::workload::now_ns;
constexpr char kSoh = '\x01';

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::string field(int tag, const std::string& value) {
  return std::to_string(tag) + "=" + value + kSoh;
}

// The value of a tag, empty when absent.
std::string_view find(std::string_view message, int tag) {
  const std::string key = kSoh + std::to_string(tag) + "=";
  const size_t at = message.find(key);
  if (at == std::string_view::npos) return {};
  const size_t begin = at + key.size();
  return message.substr(begin, message.find(kSoh, begin) - begin);
}

std::string utc_now() {
  timespec ts{};
  clock_gettime(CLOCK_REALTIME, &ts);
  tm parts{};
  gmtime_r(&ts.tv_sec, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%d-%H:%M:%S", &parts);
  return text.data();
}

struct Counts {
  uint64_t sent = 0, accepted = 0, partially_filled = 0, filled = 0, rejected = 0, other = 0;
};

class Session {
 public:
  Session(int fd, std::string sender, std::string target)
      : fd_(fd), sender_(std::move(sender)), target_(std::move(target)) {}

  void send(const std::string& type, const std::string& body) {
    std::string inner = field(35, type) + field(34, std::to_string(++sequence_)) +
                        field(49, sender_) + field(52, utc_now()) + field(56, target_) + body;
    std::string message =
        field(8, "FIX.4.2") + field(9, std::to_string(inner.size())) + std::move(inner);
    unsigned sum = 0;
    for (const char c : message) sum += static_cast<unsigned char>(c);
    std::array<char, 4> checksum{};
    std::snprintf(checksum.data(), checksum.size(), "%03u", sum % 256);
    message += field(10, checksum.data());
    for (size_t done = 0; done < message.size();) {
      const ssize_t n = ::send(fd_, message.data() + done, message.size() - done, MSG_NOSIGNAL);
      if (n < 0) fail("send");
      done += static_cast<size_t>(n);
    }
  }

  // Handles everything that arrives within the timeout; false when the server hung up.
  bool receive(int timeout_ms) {
    pollfd wanted{fd_, POLLIN, 0};
    if (poll(&wanted, 1, timeout_ms) <= 0) return true;
    std::array<char, 65536> chunk{};
    const ssize_t got = read(fd_, chunk.data(), chunk.size());
    if (got <= 0) return false;
    buffer_.append(chunk.data(), static_cast<size_t>(got));
    // A message ends with the checksum field: SOH "10=" three digits SOH.
    for (size_t at; (at = buffer_.find("\x01"
                                       "10=")) != std::string::npos &&
                    at + 8 <= buffer_.size();) {
      handle(std::string_view(buffer_).substr(0, at + 8));
      buffer_.erase(0, at + 8);
    }
    return true;
  }

  uint64_t reports() const {
    return counts.accepted + counts.partially_filled + counts.filled + counts.rejected;
  }

  Counts counts;
  bool logged_on = false;
  bool logged_out = false;

 private:
  void handle(std::string_view message) {
    const std::string_view type = find(message, 35);
    if (type == "8") {
      const std::string_view status = find(message, 39);
      if (status == "0")
        ++counts.accepted;
      else if (status == "1")
        ++counts.partially_filled;
      else if (status == "2")
        ++counts.filled;
      else if (status == "8")
        ++counts.rejected;
      else
        ++counts.other;
    } else if (type == "A") {
      logged_on = true;
    } else if (type == "5") {
      logged_out = true;
    } else if (type == "1") {
      send("0", field(112, std::string(find(message, 112))));  // test request: answer it
    } else if (type != "0") {
      ++counts.other;
      std::cerr << "unexpected message of type " << type << '\n';
    }
  }

  const int fd_;
  const std::string sender_, target_;
  std::string buffer_;
  uint64_t sequence_ = 0;
};

void write_config(const std::string& path, uint64_t port, const std::string& store) {
  std::ofstream out(path);
  out << "[DEFAULT]\nConnectionType=acceptor\nSocketAcceptPort=" << port
      << "\nSocketReuseAddress=Y\nSocketNodelay=Y\nStartTime=00:00:00\nEndTime=00:00:00\n"
         "UseDataDictionary=N\nResetOnLogon=Y\nFileStorePath="
      << store
      << "\nScreenLogShowIncoming=N\nScreenLogShowOutgoing=N\nScreenLogShowEvents=N\n\n"
         "[SESSION]\nBeginString=FIX.4.2\nSenderCompID=ORDERMATCH\nTargetCompID=NZCLIENT\n";
  if (!out) throw std::runtime_error("cannot write " + path);
}

// nz-ordermatch as a child. It reads commands from stdin and spins on end of file, so the pipe
// stays open as long as it lives.
class Server {
 public:
  Server(const std::string& program, uint64_t port) {
    directory_ = (std::filesystem::temp_directory_path() / "nz-fix-XXXXXX").string();
    if (!mkdtemp(directory_.data())) fail("mkdtemp");
    const std::string config = directory_ + "/ordermatch.cfg";
    write_config(config, port, directory_ + "/store");
    std::array<int, 2> fds{};
    if (pipe2(fds.data(), O_CLOEXEC) != 0) fail("pipe");
    pid_ = fork();
    if (pid_ < 0) fail("fork");
    if (pid_ == 0) {
      dup2(fds[0], 0);
      const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
      dup2(null, 1);
      execl(program.c_str(), program.c_str(), config.c_str(), nullptr);
      _exit(127);
    }
    close(fds[0]);
    stdin_ = fds[1];
  }
  ~Server() {
    if (write(stdin_, "#quit\n", 6) != 6) kill(pid_, SIGTERM);
    int status = 0;
    for (int i = 0; i < 50 && waitpid(pid_, &status, WNOHANG) == 0; ++i) {
      nz::workload::sleep_ns(100'000'000);
      if (i == 40) kill(pid_, SIGKILL);
    }
    close(stdin_);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  pid_t pid() const { return pid_; }

 private:
  std::string directory_;
  pid_t pid_ = -1;
  int stdin_ = -1;
};

void send_order(Session& session, uint64_t number) {
  const bool buy = number % 2 == 0;
  session.send("D", field(11, "ord" + std::to_string(number)) + field(21, "1") +
                        field(55, "NZ" + std::to_string(number / 2 % 8)) +
                        field(54, buy ? "1" : "2") + field(60, utc_now()) + field(38, "100") +
                        field(40, "2") + field(44, "10.5"));
  ++session.counts.sent;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t count = 1000, port = 0;
  double rate = 500;
  std::string server_program, config;
  nz::workload::Program program(
      "nz-fix-client: orders for QuickFIX's ordermatch, and its execution reports",
      "  nz-fix-client --server ./nz-ordermatch --count 2000 --rate 1000\n"
      "  nz-fix-client --write-config /tmp/om.cfg --port 5001   # then: nz-ordermatch /tmp/om.cfg\n"
      "  nz-fix-client --port 5001 --count 100");
  program.option("--count", count, "Orders; each buy is followed by a sell that matches it")
      .option("--rate", rate, "Orders per second")
      .option("--port", port, "Port on 127.0.0.1; with --server 0 picks a free one")
      .option("--server", server_program, "Start this nz-ordermatch with a generated session file")
      .option("--write-config", config, "Only write a session file for nz-ordermatch and exit");
  program.parse(argc, argv);
  try {
    if (!config.empty()) {
      write_config(config, port, config + ".store");
      return 0;
    }
    if (rate <= 0) throw std::runtime_error("--rate must be positive");
    if (port == 0 && server_program.empty()) throw std::runtime_error("give --port or --server");
    if (port == 0) port = static_cast<uint64_t>(nz::tests::free_port());
    std::unique_ptr<Server> server;
    if (!server_program.empty()) server = std::make_unique<Server>(server_program, port);
    if (server) std::cerr << "server pid=" << server->pid() << " port=" << port << std::endl;

    int fd = -1;
    for (int i = 0; i < 100 && (fd = nz::workload::connect_to_loopback(port)) < 0; ++i)
      nz::workload::sleep_ns(50'000'000);
    if (fd < 0) fail("connect");
    Session session(fd, "NZCLIENT", "ORDERMATCH");
    session.send("A", field(98, "0") + field(108, "30") + field(141, "Y"));
    const uint64_t give_up = now_ns() + 5'000'000'000;
    while (!session.logged_on && now_ns() < give_up)
      if (!session.receive(100)) throw std::runtime_error("the server refused the logon");
    if (!session.logged_on) throw std::runtime_error("no logon answer within 5 s");
    program.start();

    const uint64_t begin = now_ns();
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t due = begin + static_cast<uint64_t>(static_cast<double>(i) / rate * 1e9);
      for (uint64_t now = now_ns(); now < due; now = now_ns())
        session.receive(static_cast<int>((due - now) / 1'000'000));
      send_order(session, i);
    }
    // Every order is accepted and, but for an odd last one, filled.
    const uint64_t expected = count + count / 2 * 2;
    const uint64_t end = now_ns() + 10'000'000'000;
    while (session.reports() < expected && now_ns() < end && session.receive(100)) {
    }
    const uint64_t wall_ns = now_ns() - begin;
    session.send("5", "");
    for (int i = 0; i < 20 && !session.logged_out && session.receive(100); ++i) {
    }
    close(fd);
    const Counts& c = session.counts;
    program.finish({{"program", "nz-fix-client"},
                    {"server_pid", server ? server->pid() : 0},
                    {"sent", c.sent},
                    {"accepted", c.accepted},
                    {"partially_filled", c.partially_filled},
                    {"filled", c.filled},
                    {"rejected", c.rejected},
                    {"other", c.other},
                    {"expected_reports", expected},
                    {"reports", session.reports()},
                    {"wall_ns", wall_ns}});
    return session.reports() == expected ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << "nz-fix-client: " << e.what() << '\n';
    return 1;
  }
}
