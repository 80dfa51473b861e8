// `nearzero trace`: what its rows tell besides durations - errors, queues, whose a socket is.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/live/harness/trace.h"

namespace nz::live {
namespace {

using nlohmann::json;

constexpr const char* kFails = R"(
import ctypes, signal
libc = ctypes.CDLL(None, use_errno=True)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
print('ready', flush=True)
signal.sigwait([signal.SIGUSR2])
for i in range(70): libc.syscall(81, -1)   # fchdir: EBADF
for i in range(30): libc.syscall(81, 0)    # ENOTDIR
)";

TEST(TraceSyscalls, TellsErrorsByErrno) {
  Program fails({"/usr/bin/python3", "-c", kFails});
  ASSERT_TRUE(eventually([&fails] { return fails.out().starts_with("ready"); }, 10));
  Trace trace({"syscalls", "-p", std::to_string(fails.pid())});
  fails.signal(SIGUSR2);
  ASSERT_EQ(fails.wait(30), 0);
  const json row = row_of(trace.end(), "syscalls", "fchdir");
  ASSERT_EQ(count_of(row), 100U) << row;
  EXPECT_EQ(row["errors"], json({{"EBADF", 70}, {"ENOTDIR", 30}})) << row;
}

TEST(TraceSyscalls, ByErrorEachIsARow) {
  Program fails({"/usr/bin/python3", "-c", kFails});
  ASSERT_TRUE(eventually([&fails] { return fails.out().starts_with("ready"); }, 10));
  Trace trace({"syscalls", "-p", std::to_string(fails.pid()), "--by", "error"});
  fails.signal(SIGUSR2);
  ASSERT_EQ(fails.wait(30), 0);
  uint64_t bad = 0;
  for (const json& row : trace.end()) {
    if (row["what"] != "fchdir") continue;
    ASSERT_TRUE(row["by"].contains("detail")) << row;
    if (row["by"]["detail"] == "EBADF") bad += count_of(row);
  }
  EXPECT_EQ(bad, 70U);
}

// A server whose connections are over long before userspace looks again.
constexpr const char* kServes = R"(
import socket, sys
s = socket.socket()
s.bind(('127.0.0.1', 0))
s.listen(64)
print('ready', s.getsockname()[1], flush=True)
for i in range(25):
    c, _ = s.accept()
    c.recv(10); c.sendall(b'1'); c.recv(10); c.sendall(b'2'); c.recv(10)
    c.close()
)";
constexpr const char* kAsks = R"(
import socket, sys
for i in range(25):
    c = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
    c.sendall(b'a'); c.recv(1); c.sendall(b'b'); c.recv(1)
    c.close()
)";

TEST(TraceTcp, AnAcceptedSocketIsItsReaders) {
  Program server({"/usr/bin/python3", "-c", kServes});
  ASSERT_TRUE(eventually([&server] { return server.out().ends_with("\n"); }, 10));
  const std::string said = server.out();
  const std::string port = said.substr(said.find(' ') + 1);
  Trace trace({"tcp", "-p", std::to_string(server.pid())});
  Program client({"/usr/bin/python3", "-c", kAsks, port.substr(0, port.find('\n'))});
  ASSERT_EQ(client.wait(30), 0) << client.err();
  ASSERT_EQ(server.wait(30), 0);
  const json rows = trace.end();
  // The client's second question and its end come after the server has read.
  EXPECT_GE(count_of(row_of(rows, "tcp", "round trip")), 50U) << rows;
  EXPECT_EQ(count_of(row_of(rows, "tcp", "connect")), 0U) << "the client's, who is not traced";
}

TEST(TraceBlock, ARequestsTimeInTheQueueIsARowOfItsOwn) {
  Workload sync("nz-offcpu", {"--mode", "fdatasync", "--count", "40"});
  Trace trace({"block"});
  sync.go();
  ASSERT_EQ(sync.wait(120), 0);
  const json rows = trace.end();
  uint64_t queued = 0, sent = 0;
  for (const json& row : rows) {
    const bool waits = row["what"].get<std::string>().ends_with(", queued before");
    (waits ? queued : sent) += count_of(row);
  }
  EXPECT_GE(sent, 40U) << rows;
  EXPECT_GT(queued, 0U) << rows;
  EXPECT_LE(queued, sent) << "counted when a request is complete";
}

}  // namespace
}  // namespace nz::live
