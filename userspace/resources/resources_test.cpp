// Everything together: this host's real files, none at all, garbage everywhere; what a collection
// costs; and that no family is undocumented.
#include "userspace/resources/resources.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <set>
#include <thread>

#include "userspace/resources/fake_tree.h"

namespace nz::resources {
namespace {

class ResourcesTest : public FakeTree {
 protected:
  static std::vector<TargetProcesses> self() {
    std::ifstream in("/proc/self/stat");
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    Usage usage;
    EXPECT_TRUE(parse_process_stat(text, usage));
    return {{"me", {{getpid(), usage.start_time}}}};
  }
  void gather(Resources& resources, const std::vector<TargetProcesses>& targets) {
    out.clear();
    resources.collect(targets, out);
  }
};

TEST_F(ResourcesTest, OfThisHost) {
  Resources resources({});
  gather(resources, self());
  std::set<std::string> names;
  for (const metrics::Family& f : out) {
    EXPECT_TRUE(names.insert(f.name).second) << f.name << " twice";
    EXPECT_FALSE(f.samples.empty()) << f.name;
    EXPECT_FALSE(f.help.empty());
    EXPECT_EQ(f.type == kCounter, f.name.ends_with("_total")) << f.name;
    std::set<metrics::Labels> rows;
    for (const metrics::Sample& s : f.samples) {
      EXPECT_TRUE(rows.insert(s.labels).second) << f.name << " has two rows of the same labels";
      EXPECT_GE(s.value, 0) << f.name;
    }
  }
  for (const char* name : {"nearzero_host_cpu_seconds_total",
                           "nearzero_host_cpus",
                           "nearzero_host_forks_total",
                           "nearzero_host_interrupts_total",
                           "nearzero_host_softirqs_total",
                           "nearzero_host_runnable_threads",
                           "nearzero_host_memory_bytes",
                           "nearzero_host_vm_events_total",
                           "nearzero_network_bytes_total",
                           "nearzero_network_packets_total",
                           "nearzero_network_drops_total",
                           "nearzero_network_errors_total",
                           "nearzero_tcp_events_total",
                           "nearzero_host_open_files",
                           "nearzero_target_cpu_seconds_total",
                           "nearzero_target_memory_bytes",
                           "nearzero_target_page_faults_total",
                           "nearzero_target_threads",
                           "nearzero_target_open_files",
                           "nearzero_target_io_bytes_total",
                           "nearzero_target_throttled_seconds_total",
                           "nearzero_target_throttled_periods_total",
                           "nearzero_resource_errors_total"})
    EXPECT_TRUE(names.contains(name)) << name;
  EXPECT_EQ(value("nearzero_host_cpus"), sysconf(_SC_NPROCESSORS_ONLN));
  EXPECT_GE(*value("nearzero_target_threads", {{"target", "me"}}), 1);
  EXPECT_GE(*value("nearzero_target_open_files", {{"target", "me"}, {"kind", "used"}}), 3);
  for (const char* source : kSourceNames) {
    EXPECT_EQ(value("nearzero_resource_errors_total", {{"source", source}}), 0) << source;
  }
}

TEST_F(ResourcesTest, AtMostOnceASecond) {
  file("proc/sys/fs/file-nr", "10\t0\t100\n");
  Resources resources(paths);
  gather(resources, {});
  file("proc/sys/fs/file-nr", "20\t0\t100\n");
  gather(resources, {});
  EXPECT_EQ(value("nearzero_host_open_files", {{"kind", "used"}}), 10) << "the same again";
  std::this_thread::sleep_for(Resources::kAtMostEvery);
  gather(resources, {});
  EXPECT_EQ(value("nearzero_host_open_files", {{"kind", "used"}}), 20);
}

TEST_F(ResourcesTest, AHostWithoutAnyFiles) {
  Resources resources(paths);
  gather(resources, {{"t", {{42, 1}}}});
  EXPECT_EQ(value("nearzero_resource_errors_total", {{"source", "cpu"}}), 1);
  EXPECT_EQ(value("nearzero_resource_errors_total", {{"source", "memory"}}), 2);
  EXPECT_EQ(value("nearzero_resource_errors_total", {{"source", "network"}}), 3);
  EXPECT_EQ(value("nearzero_resource_errors_total", {{"source", "processes"}}), 0) << "just gone";
  EXPECT_EQ(value("nearzero_target_threads", {{"target", "t"}}), 0);
}

TEST_F(ResourcesTest, GarbageEverywhere) {
  const std::vector<std::string> names = {
      "proc/stat",           "proc/meminfo",         "proc/vmstat",        "proc/diskstats",
      "proc/self/mountinfo", "proc/self/net/dev",    "proc/self/net/snmp", "proc/self/net/netstat",
      "proc/pressure/cpu",   "proc/pressure/memory", "proc/pressure/io",   "proc/sys/fs/file-nr",
      "proc/42/stat",        "proc/42/io",           "proc/42/limits",     "proc/42/cgroup",
      "proc/42/status"};
  for (const std::string& content :
       {std::string(), std::string("\n\n\n\n"), std::string(100'000, '\0'),
        std::string(100'000, ':'), std::string(100'000, '\n'), std::string(3'000'000, '9') + "\n",
        std::string("some full cpu0 Tcp: Tcp: - - - \xff\xfe ) ) (\n\t\t \\999 \\04\n"),
        std::string(File::kMostBytes + 10, ' ')}) {
    for (const std::string& name : names) file(name, content);
    Resources resources(paths);
    gather(resources, {{"t", {{42, 1}}}});
    EXPECT_FALSE(value("nearzero_host_cpus").has_value());
    EXPECT_GE(*value("nearzero_resource_errors_total", {{"source", "cpu"}}), 1);
    EXPECT_GE(*value("nearzero_resource_errors_total", {{"source", "processes"}}),
              content.empty() ? 0 : 1);
  }
}

TEST_F(ResourcesTest, EveryFamilyIsDocumented) {
  std::ifstream file(NZ_DOCUMENTATION);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  ASSERT_FALSE(text.empty());
  Resources resources({});
  gather(resources, self());
  for (const metrics::Family& f : out) {
    const std::string name = f.name.substr(std::string("nearzero_").size());
    EXPECT_NE(text.find("`" + name + "`"), std::string::npos) << name;
  }
}

TEST_F(ResourcesTest, WhatACollectionCosts) {
  Resources resources({});
  const auto targets = self();
  gather(resources, targets);
  std::vector<double> microseconds;
  for (int i = 0; i < 5; i++) {
    std::this_thread::sleep_for(Resources::kAtMostEvery);
    timespec begin{};
    timespec end{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    gather(resources, targets);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    microseconds.push_back(static_cast<double>(end.tv_sec - begin.tv_sec) * 1e6 +
                           static_cast<double>(end.tv_nsec - begin.tv_nsec) / 1e3);
  }
  std::sort(microseconds.begin(), microseconds.end());
  size_t samples = 0;
  for (const metrics::Family& f : out) samples += f.samples.size();
  std::printf("a collection of %zu families, %zu rows: %.0f ns of CPU (median of 5)\n", out.size(),
              samples, microseconds[2] * 1e3);
#ifndef NZ_INSTRUMENTED
  EXPECT_LT(microseconds[2], 5'000) << "half a percent of a core, once a second";
#endif
}

}  // namespace
}  // namespace nz::resources
