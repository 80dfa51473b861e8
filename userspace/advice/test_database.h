// Databases for tests: made through SQLite itself, by this process or by another one.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

#include "userspace/advice/database_file.h"

namespace nz::advice::testing {

inline OpenDatabase database_at(const std::string& path) {
  struct stat s {};
  stat(path.c_str(), &s);
  return {path, path, {s.st_dev, s.st_ino}};
}

class Connection {
 public:
  explicit Connection(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &db_), SQLITE_OK);
  }
  ~Connection() { sqlite3_close(db_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  int run(const std::string& sql) {
    return sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  }

 private:
  sqlite3* db_ = nullptr;
};

/// A folder of its own, removed at the end.
class Folder {
 public:
  Folder() { EXPECT_NE(mkdtemp(path_.data()), nullptr); }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = "/tmp/nz-advice-XXXXXX";
};

/// Another process: POSIX locks are a process' own. Runs `work`, then tells so and waits.
class Other {
 public:
  explicit Other(const std::function<void()>& work) {
    EXPECT_EQ(pipe(done_), 0);
    EXPECT_EQ(pipe(end_), 0);
    pid_ = fork();
    if (pid_ == 0) {
      close(end_[1]);
      work();
      char byte = 1;
      if (write(done_[1], &byte, 1) != 1) _exit(1);
      if (read(end_[0], &byte, 1) < 0) _exit(1);
      _exit(0);  // as a process that is killed: nothing is closed in order
    }
    close(done_[1]);
    char byte = 0;
    EXPECT_EQ(read(done_[0], &byte, 1), 1);
  }
  ~Other() { end(); }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;
  void end() {
    if (pid_ <= 0) return;
    // A byte, not only the end of the pipe: later children have inherited its other end.
    const char byte = 1;
    EXPECT_EQ(write(end_[1], &byte, 1), 1);
    close(end_[1]);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  int done_[2] = {-1, -1}, end_[2] = {-1, -1};
  pid_t pid_ = -1;
};

}  // namespace nz::advice::testing
