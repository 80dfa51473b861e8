#include "probes/sqlite/locate.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "userspace/base/fd.h"

namespace nz::probes {
namespace {

constexpr const char* kDebian = "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0";

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

class Locate : public ::testing::Test {
 protected:
  Locate() {
    std::string pattern = (std::filesystem::temp_directory_path() / "nz-locate.XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~Locate() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& bytes) {
    const std::string path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  // Debian's library with some functions under another name.
  std::string without(const std::vector<std::string>& functions) {
    std::string bytes = read_file(kDebian);
    for (const std::string& f : functions) {
      const size_t at = bytes.find(std::string(1, '\0') + f + std::string(1, '\0'));
      EXPECT_NE(at, std::string::npos) << f;
      bytes[at + f.size()] = '_';
    }
    return write("libsqlite3-edited.so", bytes);
  }
  static Result<SqliteBinary> locate(const std::string& library) {
    return locate_sqlite(getpid(), library, sites::detect());
  }

  std::filesystem::path folder_;
};

bool mentions(const std::vector<std::string>& missing, const std::string& function) {
  return std::any_of(missing.begin(), missing.end(),
                     [&](const std::string& m) { return m.starts_with(function + ":"); });
}

TEST_F(Locate, KnowsEverythingAboutDebiansLibrary) {
  const auto found = locate(kDebian);
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_TRUE(found->can_step());
  EXPECT_TRUE(found->can_boundary());
  EXPECT_TRUE(found->missing.empty()) << found->missing.front();
  EXPECT_TRUE(found->compile.has_value());
  EXPECT_EQ(found->busy.size(), 1U);
  EXPECT_EQ(found->sync.size(), 1U);
  EXPECT_EQ(found->checkpoint.size(), 1U);
  EXPECT_EQ(found->open.size(), 3U);
  EXPECT_EQ(found->close.size(), 2U);
  ASSERT_TRUE(found->in_trans.has_value());
  EXPECT_EQ(*found->in_trans, 16U) << "Btree: db, pBt, inTrans";
  EXPECT_EQ(found->shown, kDebian);
}

// A process that has no SQLite (this one may be linked with it): but it could load one.
TEST_F(Locate, ExpectsTheSystemsLibraryWhereNoneIsLoaded) {
  const pid_t sleeper = vfork();  // comes back when the child is the other program
  if (sleeper == 0) {
    execl("/bin/sleep", "sleep", "60", nullptr);
    _exit(127);
  }
  std::vector<Result<SqliteBinary>> all;
  for (const char* library : {"", "libsqlite3.so.0"})
    all.push_back(locate_sqlite(sleeper, library, sites::detect()));
  kill(sleeper, SIGKILL);
  waitpid(sleeper, nullptr, 0);
  for (const auto& found : all) {
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_FALSE(found->mapped);
    EXPECT_TRUE(found->can_step());
  }
}

TEST_F(Locate, SaysThatALibraryIsNotThere) {
  for (const std::string library : {"libnothere.so.1", "/nowhere/libsqlite3.so"}) {
    const auto found = locate(library);
    ASSERT_FALSE(found);
    EXPECT_NE(found.error().text().find("no SQLite with symbols in process"), std::string::npos)
        << found.error().text();
  }
}

TEST_F(Locate, FallsBackToTheStepPlanWithoutInternalFunctions) {
  const auto found = locate(
      without({"sqlite3VdbeHalt", "sqlite3RunParser", "sqlite3OsSync", "sqlite3BtreeTxnState"}));
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_TRUE(found->can_step());
  EXPECT_FALSE(found->can_boundary());
  EXPECT_FALSE(found->compile.has_value());
  EXPECT_FALSE(found->in_trans.has_value());
  EXPECT_TRUE(found->sync.empty());
  for (const char* f : {"sqlite3VdbeHalt", "sqlite3RunParser", "sqlite3OsSync"})
    EXPECT_TRUE(mentions(found->missing, f)) << f;
}

TEST_F(Locate, ALibraryWithoutSqlite3StepIsRefusedInWords) {
  const auto found = locate(without({"sqlite3_step"}));
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().text().find("has no symbol sqlite3_step"), std::string::npos)
      << found.error().text();
  EXPECT_NE(found.error().text().find("install its debug symbols"), std::string::npos);
}

TEST_F(Locate, OtherProgramsHaveNone) {
  for (const char* program : {"/bin/true", "/usr/bin/node"}) {
    if (!std::filesystem::exists(program)) continue;
    const auto found = locate(program);
    ASSERT_FALSE(found) << program;
    EXPECT_NE(found.error().text().find("has no symbol sqlite3_step"), std::string::npos)
        << found.error().text();
  }
}

TEST_F(Locate, DamagedFilesAreErrors) {
  const std::string whole = read_file(kDebian);
  for (const size_t size : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{4096},
                            whole.size() / 2, whole.size() - 1000}) {
    EXPECT_FALSE(locate(write("libsqlite3-short.so", whole.substr(0, size)))) << size;
  }
  EXPECT_FALSE(locate(write("libsqlite3-text.so", std::string(100'000, 'x'))));
  // Symbols that lead anywhere: whatever it finds, it comes back.
  for (size_t at = 64; at < whole.size(); at += whole.size() / 40) {
    std::string bytes = whole;
    for (size_t i = at; i < std::min(at + 300, bytes.size()); i++)
      bytes[i] = static_cast<char>(i * 37);
    (void)locate(write("libsqlite3-damaged.so", bytes));
  }
}

TEST_F(Locate, AProcessThatIsGoneIsAnError) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(locate_sqlite(child, "", sites::detect()));
  EXPECT_EQ(open_databases(child).size(), 0U);
}

TEST_F(Locate, CountsOpenDatabases) {
  EXPECT_EQ(open_databases(getpid()).size(), 0U);
  const std::string header = std::string("SQLite format 3") + '\0';
  const Fd database(
      open(write("a.db", header + std::string(4080, '\0')).c_str(), O_RDONLY | O_CLOEXEC));
  const Fd again(open((folder_ / "a.db").c_str(), O_RDONLY | O_CLOEXEC));
  const Fd tiny(open(write("tiny", header).c_str(), O_RDONLY | O_CLOEXEC));
  const Fd other(open(write("other", std::string(4096, 'x')).c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(open_databases(getpid()).size(), 2U) << "one for each connection";
}

}  // namespace
}  // namespace nz::probes
