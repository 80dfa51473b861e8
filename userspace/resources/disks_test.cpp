// Mounts, file systems and disks of a host made by hand.
#include <gmock/gmock.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "userspace/resources/block_devices.h"
#include "userspace/resources/disks.h"
#include "userspace/resources/fake_tree.h"
#include "userspace/resources/filesystems.h"

namespace nz::resources {
namespace {

using testing::ElementsAre;

class Storage : public FakeTree {
 protected:
  // A disk with a partition, a disk without, a loop device.
  Storage() {
    folder("sys/devices/pci/block/nvme0n1/nvme0n1p2");
    file("sys/devices/pci/block/nvme0n1/nvme0n1p2/partition", "2\n");
    folder("sys/devices/pci/block/vda");
    folder("sys/devices/virtual/block/loop3");
    for (const auto& [number, to] :
         {std::pair("259:0", "pci/block/nvme0n1"),
          std::pair("259:2", "pci/block/nvme0n1/nvme0n1p2"), std::pair("254:0", "pci/block/vda"),
          std::pair("7:3", "virtual/block/loop3")})
      link(std::string("sys/dev/block/") + number, std::string("../../devices/") + to);
    for (const char* name : {"nvme0n1", "vda", "loop3", "loop4", "cciss!c0d0"})
      folder(std::string("sys/block/") + name);
    folder("proc/self/root");
  }
  void mounts(const std::string& rows) const { file("proc/self/mountinfo", rows); }
  static std::string row(const std::string& number, const std::string& point,
                         const std::string& type, const std::string& source,
                         const std::string& root = "/") {
    return "30 22 " + number + " " + root + " " + point + " rw,relatime shared:9 master:2 - " +
           type + " " + source + " rw,seclabel\n";
  }
  std::string chosen(Mounts& table) {
    collect([&](Context& c) { table.refresh(c); });
    std::string text;
    for (const LocalFilesystem& f : choose_local(paths, table))
      text += (text.empty() ? "" : " ") + f.point + "=" + f.device;
    return text;
  }
};

TEST_F(Storage, RowsOfTheMountTable) {
  uint64_t malformed = 0;
  const auto all = parse_mountinfo(
      "36 35 98:0 /mnt1 /my\\040disk\\134x rw,noatime master:1 - ext3 /dev/root "
      "rw,errors=continue\n"
      "31 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
      "1 2\n\n1 2 3 4 5 6 7 8\n36 35 98:0 / /x rw - ex",
      malformed);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].device_number, "98:0");
  EXPECT_EQ(all[0].root, "/mnt1");
  EXPECT_EQ(all[0].point, "/my disk\\x");
  EXPECT_EQ(all[0].type, "ext3");
  EXPECT_EQ(all[0].source, "/dev/root");
  EXPECT_TRUE(all[1].has_option("cpu"));
  EXPECT_TRUE(all[1].has_option("cpuacct"));
  EXPECT_FALSE(all[1].has_option("cpua"));
  EXPECT_FALSE(all[1].has_option(""));
  EXPECT_EQ(malformed, 4U);
}

TEST_F(Storage, WholeDevices) {
  EXPECT_EQ(whole_device(paths, "259:2"), "nvme0n1");
  EXPECT_EQ(whole_device(paths, "259:0"), "nvme0n1");
  EXPECT_EQ(whole_device(paths, "254:0"), "vda");
  EXPECT_EQ(whole_device(paths, "0:42"), "");
  EXPECT_EQ(whole_device(paths, makedev(259, 2)), "nvme0n1");
  EXPECT_EQ(whole_device(paths, makedev(0, 42)), "") << "NFS, tmpfs, overlay, btrfs";
  EXPECT_TRUE(is_whole_device(paths, "vda"));
  EXPECT_TRUE(is_whole_device(paths, "cciss/c0d0"));
  EXPECT_FALSE(is_whole_device(paths, "nvme0n1p2"));
}

TEST_F(Storage, EachLocalFileSystemOnceAndNothingThatMayHang) {
  Mounts table(paths);
  mounts(row("0:20", "/proc", "proc", "proc") + row("259:2", "/data", "ext4", "/dev/nvme0n1p2") +
         row("254:0", "/", "xfs", "/dev/vda") +
         row("259:2", "/a", "ext4", "/dev/nvme0n1p2", "/inside") +  // bind mount of a folder
         row("0:50", "/net", "nfs4", "server:/net") +               // may never answer
         row("259:2", "/net/x/local", "ext4", "/dev/nvme0n1p9") +   // below it
         row("0:51", "/mnt/sshfs", "fuse.sshfs", "host:") +
         row("7:3", "/snap/core", "squashfs", "/dev/loop3") +
         row("0:52", "/var/lib/docker/overlay", "overlay", "overlay") +
         row("0:22", "/dev/shm", "tmpfs", "tmpfs") + row("0:23", "/dev/shm", "tmpfs", "tmpfs") +
         row("0:24", "/run/user/1000", "tmpfs", "tmpfs") + row("0:25", "/run", "tmpfs", "tmpfs") +
         row("0:26", "/sys/fs/cgroup", "tmpfs", "tmpfs"));
  EXPECT_EQ(chosen(table), "/=vda /data=nvme0n1 /dev/shm=tmpfs /run=tmpfs");
  EXPECT_EQ(errors.of(Source::filesystems), 0U);
}

TEST_F(Storage, SpaceIsWhatTheFileSystemSays) {
  mounts(row("254:0", "/", "ext4", "/dev/vda") + row("259:2", "/gone", "ext4", "/dev/nvme0n1p2"));
  Mounts table(paths);
  Filesystems filesystems(paths);
  collect([&](Context& c) {
    ASSERT_TRUE(table.refresh(c));
    filesystems.update(table);
    filesystems.collect(c, table);
  });
  struct statvfs s {};
  ASSERT_EQ(statvfs(path("proc/self/root").c_str(), &s), 0);
  const metrics::Labels size{{"mount", "/"}, {"device", "vda"}, {"kind", "size"}};
  EXPECT_EQ(value("nearzero_filesystem_bytes", size),
            static_cast<double>(s.f_blocks) * static_cast<double>(s.f_frsize));
  if (s.f_files > 0) {
    EXPECT_EQ(value("nearzero_filesystem_inodes", size), static_cast<double>(s.f_files));
  }
  EXPECT_EQ(rows("nearzero_filesystem_bytes"), 3U) << "a mount that vanished has no rows";
  EXPECT_EQ(errors.of(Source::filesystems), 0U) << "and is no failure";
  EXPECT_THAT(filesystems.devices(), ElementsAre("nvme0n1", "vda"));
  collect([&](Context& c) { EXPECT_FALSE(table.refresh(c)) << "nothing has changed"; });
}

TEST_F(Storage, ManyMountsAreSummed) {
  std::string text;
  for (int i = 0; i < 600; i++) {
    const std::string point = "/m" + std::to_string(i);
    folder("proc/self/root" + point);
    text += row("8:" + std::to_string(i), point, "ext4", "/dev/d" + std::to_string(i));
  }
  mounts(text);
  Mounts table(paths);
  Filesystems filesystems(paths);
  collect([&](Context& c) {
    table.refresh(c);
    filesystems.update(table);
    filesystems.collect(c, table);
  });
  EXPECT_EQ(rows("nearzero_filesystem_bytes"), (Filesystems::kNamed + 1) * 3);
  EXPECT_EQ(filesystems.unnamed(), 600 - Filesystems::kNamed);
  const auto one =
      value("nearzero_filesystem_bytes", {{"mount", "/m0"}, {"device", "ext4"}, {"kind", "size"}});
  EXPECT_EQ(value("nearzero_filesystem_bytes",
                  {{"mount", "other"}, {"device", "other"}, {"kind", "size"}}),
            *one * static_cast<double>(Filesystems::kAsked - Filesystems::kNamed));
}

TEST_F(Storage, AMountTableThatIsNotThere) {
  Mounts table(paths);
  collect([&](Context& c) { EXPECT_FALSE(table.refresh(c)); });
  EXPECT_EQ(errors.of(Source::filesystems), 1U);
}

const std::string kNvme =
    " 259       0 nvme0n1 100 1 800 5 200 2 1600 6 3 7000 9000 10 0 80 1 40 9\n";

TEST_F(Storage, Disks) {
  file("proc/diskstats", kNvme + " 259 2 nvme0n1p2 1 1 1 1 1 1 1 1 1 1 1\n" +
                             "   7       3 loop3 5 0 10 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
                             "   7       4 loop4 5 0 10 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
                             " 254       0 vda 1 0 8 0 0 0 0 0 0 4294967290 4294967295\n"
                             " 1 1 short 1 2 3\n 1 1 bad 1 0 8 0 0 0 0 0 0 4 x\n");
  Disks disks(paths);
  const std::set<std::string> used = {"loop3", "nvme0n1"};
  collect([&](Context& c) { disks.collect(c, used); });
  const auto device = [](const char* name) { return metrics::Labels{{"device", name}}; };
  const auto op = [](const char* name, const char* what) {
    return metrics::Labels{{"device", name}, {"op", what}};
  };
  EXPECT_EQ(rows("nearzero_disk_in_flight"), 3U) << "nvme0n1, vda, and the loop that is used";
  EXPECT_EQ(value("nearzero_disk_busy_seconds_total", device("nvme0n1")), 7);
  EXPECT_EQ(value("nearzero_disk_queue_seconds_total", device("nvme0n1")), 9);
  EXPECT_EQ(value("nearzero_disk_in_flight", device("nvme0n1")), 3);
  EXPECT_EQ(value("nearzero_disk_operations_total", op("nvme0n1", "read")), 100);
  EXPECT_EQ(value("nearzero_disk_operations_total", op("nvme0n1", "write")), 200);
  EXPECT_EQ(value("nearzero_disk_operations_total", op("nvme0n1", "discard")), 10);
  EXPECT_EQ(value("nearzero_disk_operations_total", op("nvme0n1", "flush")), 40);
  EXPECT_EQ(value("nearzero_disk_bytes_total", op("nvme0n1", "read")), 800 * 512);
  EXPECT_EQ(value("nearzero_disk_bytes_total", op("nvme0n1", "write")), 1600 * 512);
  EXPECT_EQ(value("nearzero_disk_bytes_total", op("nvme0n1", "discard")), 80 * 512);
  EXPECT_EQ(value("nearzero_disk_bytes_total", op("nvme0n1", "flush")), std::nullopt);
  EXPECT_EQ(errors.of(Source::disks), 2U);
  file("proc/diskstats", " 254 0 vda 1 0 8 0 0 0 0 0 0 10 1005\n");
  collect([&](Context& c) { disks.collect(c, used); });
  EXPECT_EQ(value("nearzero_disk_busy_seconds_total", device("vda")), 4294967.306);
  EXPECT_EQ(value("nearzero_disk_queue_seconds_total", device("vda")), 4294968.301);
  EXPECT_EQ(rows("nearzero_disk_in_flight"), 1U);
}

TEST_F(Storage, AHundredDisks) {
  std::string text;
  for (int i = 0; i < 100; i++) {
    folder("sys/block/sd" + std::to_string(i));
    text +=
        " 8 " + std::to_string(i) + " sd" + std::to_string(i) + " 1 0 8 0 0 0 0 0 2 1000 1000\n";
  }
  file("proc/diskstats", text + kNvme);
  Disks disks(paths);
  collect([&](Context& c) { disks.collect(c, {"nvme0n1"}); });
  EXPECT_EQ(rows("nearzero_disk_busy_seconds_total"), Disks::kNamed + 1);
  EXPECT_EQ(disks.unnamed(), 101 - Disks::kNamed);
  EXPECT_EQ(value("nearzero_disk_busy_seconds_total", {{"device", "nvme0n1"}}), 7);
  EXPECT_EQ(value("nearzero_disk_busy_seconds_total", {{"device", "other"}}), 101 - 32);
  EXPECT_EQ(value("nearzero_disk_in_flight", {{"device", "other"}}), 2 * (101 - 32));
}

}  // namespace
}  // namespace nz::resources
