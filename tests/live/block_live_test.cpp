// Disk I/O by device and operation, on loop devices that nobody else uses, against what the kernel
// counts itself (/proc/diskstats) and against what the program that wrote it saw.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/live/harness/agent.h"
#include "tests/live/harness/command.h"

namespace nz::live {
namespace {

std::string shell(const std::string& command) {
  Program program({"/bin/sh", "-c", command});
  EXPECT_EQ(program.wait(60), 0) << command << ": " << program.err();
  std::string text = program.out();
  while (text.ends_with("\n")) text.pop_back();
  return text;
}

/// A block device made of a file of `megabytes`, which is sparse, in `folder`.
class LoopDevice {
 public:
  explicit LoopDevice(int megabytes, const std::string& folder = "") {
    file_ = folder.empty() ? temporary_file("disk", "") : folder + "/disk";
    std::ofstream(file_).close();
    std::filesystem::resize_file(file_, static_cast<uint64_t>(megabytes) << 20);
    path_ = shell("losetup --find --show " + file_);
    name_ = path_.substr(path_.rfind('/') + 1);
  }
  LoopDevice(const LoopDevice&) = delete;
  LoopDevice& operator=(const LoopDevice&) = delete;
  ~LoopDevice() {
    shell("losetup --detach " + path_);
    std::filesystem::remove(file_);
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string file_, path_, name_;
};

struct DiskStats {
  uint64_t reads = 0, writes = 0, flushes = 0;
};

// Documentation/admin-guide/iostats.rst
DiskStats disk_stats(const std::string& device) {
  std::ifstream file("/proc/diskstats");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream in(line);
    std::string name;
    std::array<uint64_t, 17> field{};
    in >> field[0] >> field[1] >> name;
    for (size_t i = 0; i < field.size() && in; i++) in >> field[i];
    if (name == device) return {field[0], field[4], field[15]};
  }
  ADD_FAILURE() << "no " << device << " in /proc/diskstats";
  return {};
}

// device, number of threads, writes of each, 1 = fdatasync after each, then as many reads. Writes
// as JSON what it saw.
constexpr const char* kWorks = R"(
import json, mmap, os, sys, threading, time
path, threads, count, sync = sys.argv[1], *map(int, sys.argv[2:5])
fd = os.open(path, os.O_RDWR | os.O_DIRECT)
seen = {"errors": 0, "write_seconds": 0.0}
lock = threading.Lock()
def work(at):
    page = mmap.mmap(-1, 4096)
    errors, seconds = 0, 0.0
    for i in range(count):
        begun = time.monotonic()
        try:
            os.pwrite(fd, page, (at * count + i) * 8192)
        except OSError:
            errors += 1
        seconds += time.monotonic() - begun
        if sync: os.fdatasync(fd)
    for i in range(count):
        os.preadv(fd, [page], (at * count + i) * 8192)
    with lock:
        seen["errors"] += errors
        seen["write_seconds"] += seconds
all = [threading.Thread(target=work, args=(t,)) for t in range(threads)]
for t in all: t.start()
for t in all: t.join()
print(json.dumps(seen))
)";

class Block : public testing::Test {
 protected:
  // What the agent counts is cumulative, and a loop device's number comes back: the difference.
  void work(const LoopDevice& device, int threads, int count, bool sync) {
    agent_.settle();
    const auto data_before = agent_.fetch();
    const DiskStats stats_before = disk_stats(device.name());
    Program worker({"/usr/bin/python3", "-c", kWorks, device.path(), std::to_string(threads),
                    std::to_string(count), sync ? "1" : "0"});
    ASSERT_EQ(worker.wait(120), 0) << worker.err();
    saw_ = worker.json();
    const DiskStats stats = disk_stats(device.name());
    kernel_ = {stats.reads - stats_before.reads, stats.writes - stats_before.writes,
               stats.flushes - stats_before.flushes};
    agent_.settle();
    const auto data = agent_.fetch();
    for (const char* op : {"read", "write", "flush"}) {
      const cli::Labels labels{{"device", device.name()}, {"op", op}};
      const auto grown = [&](const char* family) {
        return histogram_of(data, family, labels).count() -
               histogram_of(data_before, family, labels).count();
      };
      sent_[op] = grown("nearzero_block_io_duration_seconds");
      queued_[op] = grown("nearzero_block_io_queue_seconds");
    }
    const cli::Labels writes{{"device", device.name()}, {"op", "write"}};
    errors_ = value_of(data, "nearzero_block_io_errors_total", writes) -
              value_of(data_before, "nearzero_block_io_errors_total", writes);
    write_seconds_ =
        static_cast<double>(
            histogram_of(data, "nearzero_block_io_duration_seconds", writes).sum_ns -
            histogram_of(data_before, "nearzero_block_io_duration_seconds", writes).sum_ns) /
        1e9;
    incomplete_ = value_of(data, "nearzero_block_io_incomplete_total", {}) -
                  value_of(data_before, "nearzero_block_io_incomplete_total", {});
  }

  Agent agent_{"host: true\n"};
  nlohmann::json saw_;
  DiskStats kernel_;
  std::map<std::string, uint64_t> sent_, queued_;
  double errors_ = 0, write_seconds_ = 0, incomplete_ = 0;
};

TEST_F(Block, EveryRequestIsCountedOnceAsTheKernelCountsIt) {
  const LoopDevice device(64);
  std::ofstream("/sys/block/" + device.name() + "/queue/scheduler") << "none" << std::flush;
  work(device, 1, 300, true);
  EXPECT_EQ(sent_["write"], 300U);
  EXPECT_EQ(sent_["flush"], 300U);
  EXPECT_GE(sent_["read"], 300U);  // udev may look at the device, too
  // fdatasync asks for a flush with a write of nothing, which the kernel counts as a write and
  // never sends.
  EXPECT_EQ(sent_["write"] + sent_["flush"], kernel_.writes);
  EXPECT_EQ(sent_["flush"], kernel_.flushes);
  EXPECT_EQ(sent_["read"], kernel_.reads);
  EXPECT_EQ(queued_["write"], 0U) << "without a scheduler there is no queue";
  EXPECT_EQ(errors_, 0);
  EXPECT_EQ(incomplete_, 0);
  // The writer waits for each: most of its wait, and no more.
  EXPECT_LT(write_seconds_, saw_["write_seconds"].get<double>());
  EXPECT_GT(write_seconds_, 0.3 * saw_["write_seconds"].get<double>());
}

TEST_F(Block, ManyAtATimeAreTold) {
  const LoopDevice device(256);
  work(device, 16, 500, false);
  EXPECT_EQ(sent_["write"], 8000U);
  EXPECT_EQ(sent_["write"], kernel_.writes);
  EXPECT_EQ(sent_["read"], kernel_.reads);
  EXPECT_EQ(incomplete_, 0);
}

TEST_F(Block, WithASchedulerEachRequestHasItsTimeInTheQueue) {
  const LoopDevice device(64);
  std::ofstream("/sys/block/" + device.name() + "/queue/scheduler") << "mq-deadline";
  work(device, 4, 200, false);
  EXPECT_EQ(sent_["write"], 800U);
  EXPECT_EQ(sent_["write"], kernel_.writes);
  EXPECT_EQ(queued_["write"], 800U);
  EXPECT_EQ(queued_["read"], sent_["read"]);
}

TEST_F(Block, WhatTheDeviceRefusesIsAnError) {
  // The file system below it is full after half of the writes.
  const std::string folder = temporary_file("small", "") + ".d";
  std::filesystem::create_directories(folder);
  shell("mount -t tmpfs -o size=400k none " + folder);
  {
    const LoopDevice device(16, folder);
    work(device, 1, 200, false);
    EXPECT_GT(saw_["errors"].get<int>(), 50);
    EXPECT_EQ(errors_, saw_["errors"].get<double>());
    EXPECT_EQ(sent_["write"], 200U) << "failed ones have a duration, too";
  }
  shell("umount " + folder);
}

TEST_F(Block, OffDetachesAndOnBringsItBack) {
  const LoopDevice device(64);
  (void)agent_.control("off");
  work(device, 1, 50, false);
  EXPECT_EQ(sent_["write"], 0U);
  (void)agent_.control("on");
  work(device, 1, 50, false);
  EXPECT_EQ(sent_["write"], 50U);
}

TEST(BlockOff, WithoutTheHostThereIsNothing) {
  const Agent agent("host: false\n");
  agent.settle();
  EXPECT_EQ(agent.get("/metrics").find("nearzero_block_io"), std::string::npos);
  EXPECT_EQ(agent.control("status").find("\"probe\": \"block\""), std::string::npos);
}

}  // namespace
}  // namespace nz::live
