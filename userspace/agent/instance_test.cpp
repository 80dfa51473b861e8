#include "userspace/agent/instance.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

namespace nz::agent {
namespace {

class InstanceTest : public ::testing::Test {
 protected:
  InstanceTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nearzero-run.XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
  }
  ~InstanceTest() override { std::filesystem::remove_all(dir_); }

  // As the agent's main loop does it, on a thread.
  struct Served {
    explicit Served(ControlSocket socket) : socket_(std::move(socket)) {
      thread_ = std::thread([this] {
        while (!stop_) {
          pollfd p{socket_.fd(), POLLIN, 0};
          if (poll(&p, 1, 10) > 0) {
            const auto start = std::chrono::steady_clock::now();
            socket_.answer();
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
            if (took.count() > longest_) longest_ = took.count();
          }
        }
      });
    }
    ~Served() {
      stop_ = true;
      thread_.join();
    }
    ControlSocket socket_;
    std::atomic<bool> stop_ = false;
    std::atomic<double> longest_ = 0;
    std::thread thread_;
  };

  static ControlSocket::Handler echo() {
    return [](const std::string& line) { return "<" + line + ">\n"; };
  }
  [[nodiscard]] Fd connect_raw() const {
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, (dir_ + "/agent.sock").c_str());
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      return Fd();
    return fd;
  }

  std::string dir_;
};

TEST_F(InstanceTest, TheSecondAgentLearnsThePidOfTheFirst) {
  const auto first = lock_instance(dir_);
  ASSERT_TRUE(first.has_value()) << first.error().text();
  const auto second = lock_instance(dir_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, EWOULDBLOCK);
  EXPECT_NE(second.error().what.find("pid " + std::to_string(getpid())), std::string::npos)
      << second.error().what;
  EXPECT_FALSE(second.error().remedy.empty());
}

TEST_F(InstanceTest, ALockIsFreeWhenItsOwnerIsGone) {
  { ASSERT_TRUE(lock_instance(dir_).has_value()); }
  EXPECT_TRUE(lock_instance(dir_).has_value());
}

TEST_F(InstanceTest, AKilledAgentsLockIsFree) {
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = lock_instance(dir_);
    std::ofstream(dir_ + "/have").flush();
    pause();
    _exit(lock.has_value() ? 0 : 1);
  }
  while (!std::filesystem::exists(dir_ + "/have")) usleep(1000);
  EXPECT_FALSE(lock_instance(dir_).has_value());
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  const auto mine = lock_instance(dir_);
  ASSERT_TRUE(mine.has_value());
  std::string text;
  std::ifstream(dir_ + "/agent.lock") >> text;
  EXPECT_EQ(text, std::to_string(getpid())) << "not a longer number's rest";
}

TEST_F(InstanceTest, MakesItsFolderAndSaysWhenItCannot) {
  EXPECT_TRUE(lock_instance(dir_ + "/new").has_value());
  const auto r = lock_instance("/proc/nearzero");
  ASSERT_FALSE(r.has_value());
  EXPECT_NE(r.error().text().find("/proc/nearzero"), std::string::npos);
  EXPECT_NE(r.error().remedy.find("runtime_dir"), std::string::npos);
}

TEST_F(InstanceTest, OneLineInOneTextOut) {
  auto socket = ControlSocket::open(dir_, echo());
  ASSERT_TRUE(socket.has_value()) << socket.error().text();
  const Served served(std::move(*socket));
  const auto answer = send_command(dir_, "status");
  ASSERT_TRUE(answer.has_value()) << answer.error().text();
  EXPECT_EQ(*answer, "<status>\n");
}

TEST_F(InstanceTest, ALargeAnswerArrivesWhole) {
  const std::string large(4'000'000, 'x');
  auto socket = ControlSocket::open(dir_, [&](const std::string&) { return large; });
  const Served served(std::move(*socket));
  const auto answer = send_command(dir_, "status");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->size(), large.size());
}

TEST_F(InstanceTest, TheSocketIsForRootAloneAndGoesAway) {
  const std::string path = dir_ + "/agent.sock";
  {
    auto socket = ControlSocket::open(dir_, echo());
    ASSERT_TRUE(socket.has_value());
    struct stat info {};
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    const ControlSocket moved(std::move(*socket));
    EXPECT_TRUE(std::filesystem::exists(path)) << "moving does not unlink";
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(InstanceTest, AStaleSocketIsReplaced) {
  {
    auto socket = ControlSocket::open(dir_, echo());
    ASSERT_TRUE(socket.has_value());
    std::filesystem::rename(dir_ + "/agent.sock", dir_ + "/kept");
  }
  std::filesystem::rename(dir_ + "/kept", dir_ + "/agent.sock");  // as a killed agent leaves it
  const auto nobody = send_command(dir_, "status");
  ASSERT_FALSE(nobody.has_value());
  EXPECT_NE(nobody.error().text().find("is it running"), std::string::npos)
      << nobody.error().text();
  auto socket = ControlSocket::open(dir_, echo());
  ASSERT_TRUE(socket.has_value());
  const Served served(std::move(*socket));
  EXPECT_TRUE(send_command(dir_, "x").has_value());
}

TEST_F(InstanceTest, NoAgentAtAll) {
  const auto r = send_command(dir_, "off");
  ASSERT_FALSE(r.has_value());
  EXPECT_EQ(r.error().code, ENOENT);
  EXPECT_NE(r.error().remedy.find("nearzero agent"), std::string::npos);
}

TEST_F(InstanceTest, APathTooLongForASocket) {
  const auto r = send_command("/" + std::string(200, 'x'), "off");
  ASSERT_FALSE(r.has_value());
  EXPECT_NE(r.error().text().find("too long"), std::string::npos);
  EXPECT_FALSE(ControlSocket::open("/" + std::string(200, 'x'), echo()).has_value());
}

TEST_F(InstanceTest, GarbageIsHandedOnAsOneShortLine) {
  std::string seen;
  auto socket = ControlSocket::open(dir_, [&](const std::string& line) { return seen = line; });
  const Served served(std::move(*socket));
  ASSERT_TRUE(send_command(dir_, std::string("\x00\xff\x01", 3)).has_value());
  EXPECT_EQ(seen, std::string("\x00\xff\x01", 3));
  ASSERT_TRUE(send_command(dir_, "a\nb").has_value());
  EXPECT_EQ(seen, "a");
  ASSERT_TRUE(send_command(dir_, std::string(100'000, 'y')).has_value());
  EXPECT_LE(seen.size(), 4096U);
}

TEST_F(InstanceTest, SilentClientsHoldNobody) {
  auto socket = ControlSocket::open(dir_, echo());
  Served served(std::move(*socket));
  std::vector<Fd> silent;
  for (int i = 0; i < 50; i++) silent.push_back(connect_raw());
  for (const Fd& fd : silent) ASSERT_TRUE(fd.valid());
  const auto answer = send_command(dir_, "status");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(*answer, "<status>\n");
  EXPECT_LT(served.longest_, 0.2);
}

TEST_F(InstanceTest, ClientsThatGoWithoutAWordAreForgotten) {
  auto socket = ControlSocket::open(dir_, echo());
  Served served(std::move(*socket));
  for (int i = 0; i < 500; i++) ASSERT_TRUE(connect_raw().valid()) << i;
  EXPECT_TRUE(send_command(dir_, "status").has_value());
}

TEST_F(InstanceTest, AClientThatDoesNotReadIsGivenUp) {
  const std::string large(8'000'000, 'x');
  auto socket = ControlSocket::open(
      dir_, [&](const std::string& line) { return line == "large" ? large : "small"; });
  Served served(std::move(*socket));
  const Fd deaf = connect_raw();
  ASSERT_EQ(send(deaf.get(), "large\n", 6, 0), 6);
  const auto answer = send_command(dir_, "other");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(*answer, "small");
  EXPECT_GT(served.longest_, 0.15) << "it was waited for";
  EXPECT_LT(served.longest_, 2.0) << "but not for ever";
}

}  // namespace
}  // namespace nz::agent
