// Which disk a database lies on, with a /sys made by hand and a file that this process has open.
#include "probes/sqlite/database_watch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "probes/fake_env.h"
#include "userspace/base/fd.h"
#include "userspace/resources/fake_tree.h"

namespace nz::probes {
namespace {

using std::chrono::seconds;

class DatabaseWatchTest : public resources::FakeTree {
 protected:
  DatabaseWatchTest() {
    std::string content("SQLite format 3\0", 16);
    content.resize(512);
    file("orders.db", content);
    open_.reset(open(database_.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat s {};
    EXPECT_EQ(fstat(open_.get(), &s), 0);
    number_ = std::to_string(major(s.st_dev)) + ":" + std::to_string(minor(s.st_dev));
  }
  // The disk with the number of the file, as the kernel would tell it.
  void lies_on(const std::string& disk) const {
    const std::string number = "sys/dev/block/" + number_;
    remove(number);
    folder("sys/devices/pci/block/" + disk);
    link(number, "../../devices/pci/block/" + disk);
  }
  void look(seconds at) {
    // Slot 0 has a name without a configuration.
    const std::map<uint32_t, std::vector<pid_t>> pids = {{0, {getpid()}}};
    watch_.tick(pids, start_ + at);
    collect([this](resources::Context& c) { watch_.collect(c.out); });
  }
  [[nodiscard]] std::optional<double> on(const std::string& disk) const {
    return value("nearzero_sqlite_database_device",
                 {{"target", "host"}, {"database", database_}, {"device", disk}});
  }

  const std::string database_ = path("orders.db");
  Fd open_;
  std::string number_;
  FakeEnv env_;
  DatabaseWatch watch_{env_.env(), paths};
  const DatabaseWatch::Clock::time_point start_{std::chrono::hours(1)};
};

TEST_F(DatabaseWatchTest, TheDiskIsKeptUntilFilesAreLookedForAgain) {
  lies_on("nvme0n1");
  look(seconds(0));
  EXPECT_EQ(on("nvme0n1"), 1);
  lies_on("vda");
  look(DatabaseWatch::kFindEvery - seconds(1));
  EXPECT_EQ(on("nvme0n1"), 1) << "not each time that is drained";
  EXPECT_EQ(rows("nearzero_sqlite_database_device"), 1U);
  look(DatabaseWatch::kFindEvery);
  EXPECT_EQ(on("vda"), 1);
  EXPECT_EQ(rows("nearzero_sqlite_database_device"), 1U);
}

TEST_F(DatabaseWatchTest, AFileOnNoDiskHasItsSizeAlone) {
  look(seconds(0));
  EXPECT_EQ(rows("nearzero_sqlite_database_device"), 0U);
  EXPECT_EQ(value("nearzero_sqlite_database_bytes",
                  {{"target", "host"}, {"database", database_}, {"kind", "main"}}),
            512);
}

TEST_F(DatabaseWatchTest, AFileThatWasClosedIsGoneWithItsDisk) {
  lies_on("nvme0n1");
  look(seconds(0));
  open_.reset();
  look(DatabaseWatch::kFindEvery);
  EXPECT_EQ(rows("nearzero_sqlite_database_bytes"), 0U);
  EXPECT_EQ(rows("nearzero_sqlite_database_device"), 0U);
}

}  // namespace
}  // namespace nz::probes
