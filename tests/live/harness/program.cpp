#include "tests/live/harness/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace nz::live {
namespace {

// One folder per test process, gone when it ends.
const std::filesystem::path& folder() {
  struct Folder {
    std::filesystem::path path;
    Folder() {
      std::string pattern =
          (std::filesystem::temp_directory_path() / "nearzero-live.XXXXXX").string();
      path = mkdtemp(pattern.data());
      std::filesystem::permissions(path,
                                   std::filesystem::perms::all);  // workloads may run as nobody
    }
    ~Folder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  };
  static const Folder instance;
  return instance.path;
}

std::string next_file(const std::string& suffix) {
  static std::atomic<int> number{0};
  return (folder() / (std::to_string(number++) + suffix)).string();
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

void sleep_seconds(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

std::string temporary_file(const std::string& name, const std::string& content) {
  std::string path = next_file("-" + name);
  std::ofstream(path) << content;
  return path;
}

Program::Program(std::vector<std::string> arguments, std::vector<std::string> environment)
    : out_path_(next_file(".out")), err_path_(next_file(".err")) {
  std::vector<char*> argv;
  for (std::string& a : arguments) argv.push_back(a.data());
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ != 0) return;
  for (std::string& e : environment) putenv(e.data());
  const int out = open(out_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const int err = open(err_path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  execvp(argv[0], argv.data());
  dprintf(STDERR_FILENO, "cannot run %s\n", argv[0]);
  _exit(127);
}

Program::~Program() {
  if (running()) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

bool Program::running() {
  if (status_ >= 0) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

void Program::signal(int number) const {
  if (status_ < 0) kill(pid_, number);
}

int Program::wait(double seconds) {
  eventually([this] { return !running(); }, seconds);
  return status_;
}

bool Program::wait_for_text(const std::string& text, double seconds) const {
  return eventually([&] { return err().find(text) != std::string::npos; }, seconds);
}

std::string Program::out() const { return read_file(out_path_); }
std::string Program::err() const { return read_file(err_path_); }

nlohmann::json Program::json() const {
  const std::string text = out();
  auto whole = nlohmann::json::parse(text, nullptr, false);
  if (!whole.is_discarded()) return whole;
  std::istringstream lines(text);
  std::string line;
  std::string last;
  while (std::getline(lines, line)) {
    if (!line.empty()) last = line;
  }
  return nlohmann::json::parse(last, nullptr, false);
}

Workload::Workload(const std::string& name, std::vector<std::string> arguments)
    : Program([&] {
        arguments.insert(arguments.begin(), std::string(NZ_WORKLOADS) + "/" + name);
        arguments.emplace_back("--wait");
        return arguments;
      }()) {
  if (!wait_for_text("ready pid=", 20)) ADD_FAILURE() << name << " did not become ready: " << err();
}

void Workload::go() const { signal(SIGUSR2); }

}  // namespace nz::live
