// What the disk can do to the store: it goes on, says so, and loses nothing that it still holds.
#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>
#include <fstream>
#include <random>

#include "userspace/store/database.h"
#include "userspace/store/test_disk.h"
#include "userspace/store/test_store.h"
#include "userspace/store/writer.h"

namespace nz::store {
namespace {

using namespace testing;

// What was left out, whatever the cause.
double dropped(const Stats& stats) {
  FamilyList families;
  stats.collect(families);
  double sum = 0;
  for (const metrics::Family& f : families) {
    if (f.name != "nearzero_store_drops_total") continue;
    for (const metrics::Sample& s : f.samples) sum += s.value;
  }
  return sum;
}

// Nine hours of a service, of which no block of minutes can be read.
void make_damaged_blocks(const std::string& path) {
  {
    auto store = open_store({.path = path});
    Service service;
    run_service(*store, service, 0, 9 * 3600, 60);
  }
  auto opened = open_to_write(path);
  ASSERT_TRUE(opened);
  (*opened)->run("UPDATE blocks SET data='x' WHERE level=?", Level::minute);
  EXPECT_GT((*opened)->changes(), 0);
  ASSERT_TRUE((*opened)->outcome());
}

class FailingDisk : public ::testing::TestWithParam<int> {};

TEST_P(FailingDisk, WhatCannotBeWrittenWaitsAndIsWrittenLater) {
  const Folder folder;
  TestDisk disk;
  {
    auto store = open_store({.path = folder.file(), .vfs = TestDisk::kName});
    Service service;
    run_service(*store, service, 0, 100);
    EXPECT_EQ(value_of(*store, "nearzero_store_available"), 1);
    disk.fail(GetParam());
    for (int s = 101; s <= 400; s++) {
      add(*store, kMidnight + s, service.families(s));
      if (s % 10 == 5) {
        EXPECT_EQ(store->flush().has_value(), s < 110) << s;
      }
    }
    EXPECT_EQ(value_of(*store, "nearzero_store_available"), 0);
    EXPECT_GT(value_of(*store, "nearzero_store_errors_total", {{"kind", "write"}}), 10);
    EXPECT_EQ(store->window(kMidnight, kMidnight + 100).change("c_total"), 500)
        << "reading goes on";
    ASSERT_TRUE(store->put_state("alert", "firing"));
    EXPECT_EQ(store->get_state("alert"), "firing");
    disk.fail(0);
    run_service(*store, service, 401, 600);
    EXPECT_EQ(value_of(*store, "nearzero_store_available"), 1);
    EXPECT_EQ(value_of(*store, "nearzero_store_drops_total", {{"cause", "disk"}}), 0);
  }
  EXPECT_EQ(growth_of(folder.file(), Level::raw), 3000) << "nothing is lost";
  EXPECT_EQ(growth_of(folder.file(), Level::minute), 3000);
  auto store = open_store({.path = folder.file()});
  EXPECT_EQ(store->get_state("alert"), "firing");
  expect_sound(folder.file());
}
INSTANTIATE_TEST_SUITE_P(Store, FailingDisk,
                         ::testing::Values(SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC,
                                           SQLITE_READONLY));

TEST(StoreFaults, ADiskThatFailsNowAndThenLosesNothing) {
  for (const unsigned one_of : {2U, 5U, 20U}) {
    const Folder folder;
    TestDisk disk;
    const int end = 10 * 3600;
    {
      auto store = open_store({.path = folder.file(), .keep_raw = 1e9, .vfs = TestDisk::kName});
      Service service;
      run_service(*store, service, 0, 60, 20);
      disk.fail(SQLITE_IOERR_WRITE, one_of);
      for (int s = 80; s <= end; s += 60) {
        add(*store, kMidnight + s, service.families(s));
        (void)store->flush();
      }
      EXPECT_GT(disk.failed(), 20U);
      disk.fail(0);
      add(*store, kMidnight + end + 60, service.families(end + 60));
      ASSERT_TRUE(store->flush());
      EXPECT_EQ(value_of(*store, "nearzero_store_drops_total", {{"cause", "disk"}}), 0);
    }
    EXPECT_EQ(growth_of(folder.file(), Level::raw), 5 * (end + 60)) << one_of;
    expect_sound(folder.file());
  }
}

TEST(StoreFaults, WhatWaitsIsBoundedAndItsLossCounted) {
  const Folder folder;
  TestDisk disk;
  auto store = open_store({.path = folder.file(), .vfs = TestDisk::kName});
  const auto families = [](int s) {
    FamilyList all;
    for (int i = 0; i < 2000; i++)
      all.push_back(gauge("g", std::sin(i * 1.7 + s), {{"i", std::to_string(i)}}));
    return all;
  };
  add(*store, kMidnight, families(0));
  ASSERT_TRUE(store->flush());
  disk.fail(SQLITE_FULL);
  for (int s = 10; s < 7000; s += 10) {
    add(*store, kMidnight + s, families(s));
    EXPECT_EQ(store->flush().has_value(), false);
  }
  EXPECT_GT(value_of(*store, "nearzero_store_drops_total", {{"cause", "disk"}}), 100);
  disk.fail(0);
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(value_of(*store, "nearzero_store_available"), 1);
  expect_sound(folder.file());
}

TEST(StoreFaults, AFolderThatIsNotThereYetIsTriedAgain) {
  const Folder folder;
  const std::string path = folder.file("later/still/history.db");
  auto store = open_store({.path = path});
  EXPECT_EQ(value_of(*store, "nearzero_store_available"), 0);
  Service service;
  for (int s = 0; s <= 30; s++) {
    add(*store, kMidnight + s, service.families(s));
    (void)store->flush();
  }
  EXPECT_GT(value_of(*store, "nearzero_store_drops_total", {{"cause", "disk"}}), 20);
  EXPECT_TRUE(store->window(0, 1e11).series.empty());
  std::filesystem::create_directories(folder.file("later/still"));
  run_service(*store, service, 31, 120);
  EXPECT_EQ(value_of(*store, "nearzero_store_available"), 1);
  EXPECT_GE(store->window(0, 1e11).change("c_total"), 5 * 70);
}

// Between opening the file and looking at it there is a moment.
TEST(StoreFaults, AFileThatGoesWhileItIsOpenedIsTriedAgain) {
  const Folder folder;
  Stats stats;
  Inbox inbox;
  bool remove = true;
  Writer writer({.path = folder.file()}, stats, inbox, [&] {
    if (!remove) return;
    for (const char* part : {"", "-wal", "-shm"}) std::filesystem::remove(folder.file() + part);
  });
  ASSERT_TRUE(writer.open());
  ASSERT_TRUE(inbox.put_state("alert", std::make_shared<const std::string>("firing")));
  const auto gone = writer.save();
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ESTALE);
  remove = false;
  EXPECT_TRUE(writer.save());
  EXPECT_TRUE(inbox.empty()) << "it is on the disk";
}

TEST(StoreFaults, AnEventThatMakesRoomForOneOfOursIsCounted) {
  const Folder folder;
  Stats stats;
  Inbox inbox;
  Writer writer({.path = folder.file()}, stats, inbox, [] {});
  ASSERT_TRUE(writer.open());
  while (inbox.add({kMidnight, "boot", "host", ""})) continue;
  const auto at = static_cast<std::int64_t>(kMidnight) * 1000;
  writer.add({at, 0}, {});
  writer.add({at + 3'600'000, 1000}, {});  // set by an hour
  EXPECT_EQ(dropped(stats), 1);
}

TEST(StoreFaults, StatesAreBoundedByTheirNumberAndTheirNames) {
  const Folder folder;
  {
    auto opened = open_to_write(folder.file());
    ASSERT_TRUE(opened);
    (*opened)->run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<10000) "
        "INSERT INTO state(key,value) SELECT 'k'||i,'x' FROM n");
    ASSERT_TRUE((*opened)->outcome());
  }
  Stats stats;
  Inbox inbox;
  Writer writer({.path = folder.file()}, stats, inbox, [] {});
  ASSERT_TRUE(writer.open());
  const auto value = [](const char* text) { return std::make_shared<const std::string>(text); };
  EXPECT_FALSE(inbox.put_state(std::string(1025, 'k'), value("y")));
  ASSERT_TRUE(inbox.put_state("new", value("y")));
  ASSERT_TRUE(inbox.put_state("k7", value("y")));
  ASSERT_TRUE(writer.save());
  EXPECT_EQ(dropped(stats), 1);
  auto reader = Reader::open(folder.file());
  ASSERT_TRUE(reader);
  EXPECT_EQ((*reader)->state("new").value(), std::nullopt);
  EXPECT_EQ((*reader)->state("k7").value(), "y");
  EXPECT_EQ((*reader)->count("state").value(), 10'000);
}

TEST(StoreFaults, AFileThatIsNoDatabaseIsSetAsideAndSaidSo) {
  const Folder folder;
  std::ofstream(folder.file()) << std::string(20'000, 'x');
  auto store = open_store({.path = folder.file()});
  EXPECT_EQ(value_of(*store, "nearzero_store_damaged_files_total"), 1);
  Service service;
  run_service(*store, service, 0, 60);
  EXPECT_GT(store->window(0, 1e11).change("c_total"), 0);
  const auto events = store->events(0, 1e11);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, "history_damaged");
  std::size_t kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    if (entry.path().string().find(".corrupt-") != std::string::npos)
      kept += std::filesystem::file_size(entry.path());
  }
  EXPECT_EQ(kept, 20'000U);
}

TEST(StoreFaults, ABlockThatCannotBeReadIsLeftOutAndCounted) {
  const Folder folder;
  make_damaged_blocks(folder.file());
  auto store = open_store({.path = folder.file()});
  (void)store->window(kMidnight + 8.5 * 3600, kMidnight + 9 * 3600);
  EXPECT_EQ(value_of(*store, "nearzero_store_errors_total", {{"kind", "read"}}), 0);
  (void)store->window(kMidnight, kMidnight + 9 * 3600);
  EXPECT_EQ(value_of(*store, "nearzero_store_errors_total", {{"kind", "read"}}), 1);
}

TEST(StoreFaults, ADamagedBlockThatIsAddedToIsCounted) {
  const Folder folder;
  make_damaged_blocks(folder.file());
  auto store = open_store({.path = folder.file()});
  Service service;
  run_service(*store, service, 1000, 1200, 10);  // of the same period, by a clock that was set
  EXPECT_EQ(value_of(*store, "nearzero_store_errors_total", {{"kind", "read"}}), 0);
  run_service(*store, service, 9 * 3600 + 60, 9 * 3600 + 300, 60);
  EXPECT_GE(value_of(*store, "nearzero_store_errors_total", {{"kind", "read"}}), 4)
      << "a block of each series";
}

class DamageForReaders : public ::testing::Test {
 protected:
  const Folder folder;
  // With a report, and after `text`.
  void make(const char* text) {
    {
      auto store = open_store({.path = folder.file()});
      Service service;
      run_service(*store, service, 0, 60);
      ASSERT_TRUE(store->put_report(
          {"r1", "first", kMidnight, kMidnight - 60, kMidnight, 3, true, std::string(1000, 'r')}));
    }
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(folder.file().c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, text, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }
};

TEST_F(DamageForReaders, OfTheStructureSetsTheFileAside) {
  make(
      "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET rootpage=(SELECT rootpage FROM "
      "sqlite_schema WHERE name='blocks_by_end') WHERE name='reports'");
  auto store = open_store({.path = folder.file()});
  Service service;
  run_service(*store, service, 100, 200);
  EXPECT_EQ(value_of(*store, "nearzero_store_damaged_files_total"), 0) << "nobody has read reports";
  EXPECT_TRUE(store->reports().empty());
  EXPECT_EQ(value_of(*store, "nearzero_store_errors_total", {{"kind", "read"}}), 1);
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(value_of(*store, "nearzero_store_damaged_files_total"), 1);
  run_service(*store, service, 201, 300);
  EXPECT_GT(store->window(0, 1e11).change("c_total"), 0);
  const auto events = store->events(0, 1e11);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, "history_damaged");
  EXPECT_EQ(value_of(*store, "nearzero_store_errors_total", {{"kind", "read"}}), 1);
}

TEST_F(DamageForReaders, OfOneReportDoesNot) {
  make("UPDATE reports SET body=X'78'");
  auto store = open_store({.path = folder.file()});
  EXPECT_FALSE(store->report("r1"));
  EXPECT_EQ(value_of(*store, "nearzero_store_errors_total", {{"kind", "read"}}), 1);
  ASSERT_TRUE(store->flush());
  EXPECT_EQ(value_of(*store, "nearzero_store_damaged_files_total"), 0);
  EXPECT_EQ(store->reports().size(), 1U);
}

// Damage that is met at an open or later, wherever it lies, never ends the agent.
TEST(StoreFaults, DamageAnywhereEndsInAFileThatWorks) {
  const Folder folder;
  {
    auto store = open_store({.path = folder.file("good.db")});
    Service service;
    run_service(*store, service, 0, 9 * 3600, 60);
  }
  std::mt19937 random(11);
  const auto size = std::filesystem::file_size(folder.file("good.db"));
  int set_aside = 0;
  for (int i = 0; i < 40; i++) {
    const std::string path = folder.file("bad" + std::to_string(i) + ".db");
    std::filesystem::copy_file(folder.file("good.db"), path);
    {
      std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
      for (int n = 0; n < 3; n++) {
        file.seekp(static_cast<std::streamoff>(random() % size / 4096 * 4096));
        std::string noise(4096, '\0');
        for (char& c : noise) c = static_cast<char>(random());
        file.write(noise.data(), static_cast<std::streamsize>(noise.size()));
      }
    }
    auto store = open_store({.path = path});
    ASSERT_NE(store, nullptr);
    Service service;
    for (int s = 0; s <= 9 * 3600; s += 300) {
      add(*store, kMidnight + 9 * 3600 + 60 + s, service.families(s));
      (void)store->flush();
      (void)store->window(kMidnight, kMidnight + 18 * 3600);
    }
    EXPECT_TRUE(store->flush());
    EXPECT_GT(store->window(kMidnight + 17 * 3600, kMidnight + 20 * 3600).change("c_total"), 0)
        << i;
    set_aside += value_of(*store, "nearzero_store_damaged_files_total") > 0 ? 1 : 0;
    store.reset();
    std::filesystem::remove(path);
  }
  EXPECT_GT(set_aside, 5) << "otherwise the damage was met by nobody";
}

}  // namespace
}  // namespace nz::store
