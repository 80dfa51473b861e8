// Cgroups of both versions made by hand: which limits bind a target, what throttled it.
#include "userspace/resources/cgroups.h"

#include "userspace/resources/fake_tree.h"

namespace nz::resources {
namespace {

using Optional = std::optional<double>;

TEST(CgroupFiles, QuotasOfBothVersions) {
  EXPECT_EQ(parse_cpu_max("150000 100000\n"), Optional(1.5));
  EXPECT_EQ(parse_cpu_max("max 100000\n"), std::optional<Optional>(std::in_place, std::nullopt));
  for (const char* text : {"", "max\n", "max 0\n", "x 100000\n", "-1 100000\n", "1 100000"})
    EXPECT_FALSE(parse_cpu_max(text).has_value()) << text;
  EXPECT_EQ(parse_cfs_quota("50000\n", "100000\n"), Optional(0.5));
  EXPECT_EQ(parse_cfs_quota("-1\n", "100000\n"),
            std::optional<Optional>(std::in_place, std::nullopt));
  EXPECT_FALSE(parse_cfs_quota("50000\n", "0\n").has_value());
  EXPECT_FALSE(parse_cfs_quota("-2\n", "100000\n").has_value());
}

TEST(CgroupFiles, MemoryLimitsAndThrottling) {
  EXPECT_EQ(**parse_memory_limit("1048576\n"), 1048576U);
  EXPECT_EQ(parse_memory_limit("max\n")->has_value(), false);
  EXPECT_EQ(parse_memory_limit("9223372036854771712\n")->has_value(), false);
  EXPECT_FALSE(parse_memory_limit("lots\n").has_value());
  const auto v1 = parse_cpu_stat_of_cgroup(
      "nr_periods 10\nnr_throttled 4\nthrottled_time 5000000\nnr_bursts 0\nburst_time 0\n");
  EXPECT_EQ(v1->periods, 10U);
  EXPECT_EQ(v1->throttled, 4U);
  EXPECT_EQ(v1->nanoseconds, 5'000'000U);
  const auto v2 = parse_cpu_stat_of_cgroup(
      "usage_usec 1\nnr_periods 10\nnr_throttled 4\nthrottled_usec 5000\n");
  EXPECT_EQ(v2->nanoseconds, 5'000'000U);
  EXPECT_FALSE(parse_cpu_stat_of_cgroup("usage_usec 1\n").has_value());
}

class CgroupsTest : public FakeTree {
 protected:
  static constexpr const char* kV1 = "proc/self/root/cg/cpu/";
  static constexpr const char* kMemory = "proc/self/root/cg/memory/";
  static constexpr const char* kV2 = "proc/self/root/cg/unified/";

  void mount(bool v1, const std::string& root = "/") {
    std::string text = "40 30 0:37 " + root + " /cg/unified rw - cgroup2 cgroup2 rw\n";
    if (v1) {
      text +=
          "31 30 0:28 / /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
          "34 30 0:31 / /cg/memory rw - cgroup cgroup rw,memory\n";
    }
    file("proc/self/mountinfo", text);
    Mounts mounts(paths);
    collect([&](Context& c) { ASSERT_TRUE(mounts.refresh(c)); });
    cgroups.update(mounts);
  }
  void v1_cpu(const std::string& group, const std::string& quota, int throttled) const {
    file(kV1 + group + "/cpu.cfs_quota_us", quota + "\n");
    file(kV1 + group + "/cpu.cfs_period_us", "100000\n");
    file(kV1 + group + "/cpu.stat", "nr_periods " + std::to_string(2 * throttled) +
                                        "\nnr_throttled " + std::to_string(throttled) +
                                        "\nthrottled_time " + std::to_string(throttled * 1000) +
                                        "\n");
  }
  void v1_memory(const std::string& group, const std::string& limit, const std::string& used) {
    file(kMemory + group + "/memory.limit_in_bytes", limit + "\n");
    file(kMemory + group + "/memory.usage_in_bytes", used + "\n");
  }
  void v2(const std::string& group, const std::string& max, int throttled,
          const std::string& memory = "max") const {
    file(kV2 + group + "/cpu.max", max + " 100000\n");
    file(kV2 + group + "/cpu.stat", "usage_usec 9\nnr_periods " + std::to_string(2 * throttled) +
                                        "\nnr_throttled " + std::to_string(throttled) +
                                        "\nthrottled_usec " + std::to_string(throttled) + "\n");
    file(kV2 + group + "/memory.max", memory + "\n");
    file(kV2 + group + "/memory.current", "777\n");
  }
  void v2_pressure(const std::string& group, int some, int full) const {
    for (const char* resource : {"cpu", "memory", "io"}) {
      file(kV2 + group + "/" + resource + ".pressure",
           "some avg10=0.00 avg60=0.00 avg300=0.00 total=" + std::to_string(some) +
               "\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=" + std::to_string(full) + "\n");
    }
  }
  CgroupSummary summary(const std::vector<std::string>& texts) {
    CgroupSummary result;
    collect([&](Context& c) {
      cgroups.begin();
      std::vector<std::shared_ptr<const CgroupPlace>> places;
      for (const std::string& text : texts) places.push_back(cgroups.place(text));
      result = cgroups.summary(c, places);
      cgroups.end();
    });
    return result;
  }
  Cgroups cgroups;
};

TEST_F(CgroupsTest, Version1) {
  mount(true);
  v1_cpu("", "-1", 0);
  v1_cpu("slice", "300000", 1);
  v1_cpu("slice/app", "150000", 10);
  v1_memory("", "9223372036854771712", "5");
  v1_memory("slice", "4000", "3000");
  v1_memory("slice/app", "9223372036854771712", "2000");
  const std::string text = "4:memory:/slice/app\n1:cpu,cpuacct:/slice/app\n0::/\n";
  auto s = summary({text});
  EXPECT_EQ(s.cores, 1.5) << "the least of the groups above it";
  EXPECT_EQ(s.memory_limit, 4000U);
  EXPECT_EQ(s.memory_used, 2000U) << "of its own group";
  EXPECT_EQ(s.throttling.throttled, 0U) << "what was before counts for nothing";
  EXPECT_FALSE(s.pressure[0].has_value());
  v1_cpu("slice", "300000", 3);
  v1_cpu("slice/app", "150000", 17);
  s = summary({text, text});
  EXPECT_EQ(s.throttling.throttled, 9U);
  EXPECT_EQ(s.throttling.periods, 18U);
  EXPECT_EQ(s.throttling.nanoseconds, 9000U);
  EXPECT_EQ(errors.of(Source::cgroups), 0U);
}

TEST_F(CgroupsTest, Version2WithPressure) {
  mount(false);
  v2("a", "max", 0, "1000");
  v2("a/b", "50000", 5, "2000");
  v2_pressure("a/b", 100, 10);
  auto s = summary({"0::/a/b\n"});
  EXPECT_EQ(s.cores, 0.5);
  EXPECT_EQ(s.memory_limit, 1000U);
  EXPECT_EQ(s.memory_used, 777U);
  EXPECT_EQ(s.pressure[0]->some, 0U);
  v2("a/b", "50000", 8, "2000");
  v2_pressure("a/b", 150, 30);
  s = summary({"0::/a/b\n"});
  EXPECT_EQ(s.throttling.throttled, 3U);
  EXPECT_EQ(s.throttling.nanoseconds, 3000U);
  EXPECT_EQ(s.pressure[1]->some, 50U);
  EXPECT_EQ(s.pressure[2]->full, 20U);
  EXPECT_EQ(errors.of(Source::cgroups), 0U) << "the root of version 2 has no such files";
}

TEST_F(CgroupsTest, SeveralGroupsOfOneTarget) {
  mount(false);
  for (const char* group : {"pods/x", "pods/y", "pods/z"}) v2(group, "100000", 0, "1000");
  v2("pods", "max", 0, "max");
  v2_pressure("pods/x", 0, 0);
  v2_pressure("pods/y", 0, 0);
  EXPECT_EQ(summary({"0::/pods/x\n", "0::/pods/y\n", "0::/pods/x\n"}).cores, 2.0);
  EXPECT_EQ(summary({"0::/pods/x\n", "0::/pods/y\n"}).memory_limit, 2000U);
  EXPECT_EQ(summary({"0::/pods/x\n", "0::/pods/y\n"}).memory_used, 2 * 777U);
  EXPECT_EQ(summary({"0::/pods/x\n", "0::/free\n"}).cores, std::nullopt) << "one has no limit";
  v2("pods", "50000", 0, "500");
  EXPECT_EQ(summary({"0::/pods/x\n", "0::/pods/y\n"}).cores, 0.5) << "shared, so counted once";
  summary({"0::/pods/x\n", "0::/pods/y\n"});
  v2_pressure("pods/x", 70, 7);
  v2_pressure("pods/y", 50, 9);
  const auto s = summary({"0::/pods/x\n", "0::/pods/y\n"});
  EXPECT_EQ(s.pressure[0]->some, 70U) << "of the group that waited most";
  EXPECT_EQ(s.pressure[0]->full, 9U);
}

TEST_F(CgroupsTest, TheRootAndPlacesThatWeCannotReach) {
  mount(false);
  v2("", "max", 0);
  v2_pressure("", 1000, 1000);
  for (const char* text :
       {"0::/\n", "0::/../elsewhere\n", "garbage\n", "", "0::relative\n", "0:"}) {
    const auto s = summary({text});
    EXPECT_EQ(s.cores, std::nullopt) << text;
    EXPECT_EQ(s.memory_limit, std::nullopt) << text;
    EXPECT_EQ(s.memory_used, std::nullopt) << text;
    EXPECT_FALSE(s.pressure[0].has_value()) << "the host's, not the target's: " << text;
  }
  EXPECT_EQ(errors.of(Source::cgroups), 0U);
}

TEST_F(CgroupsTest, AHierarchyMountedInPart) {
  mount(false, "/docker/abc");
  v2("", "70000", 0);
  v2("in", "max", 0);
  EXPECT_EQ(summary({"0::/docker/abc/in\n"}).cores, 0.7) << "the mount's own group holds too";
  EXPECT_EQ(summary({"0::/docker/abc\n"}).cores, 0.7);
  EXPECT_EQ(summary({"0::/docker/abcdef/in\n"}).cores, std::nullopt);
  EXPECT_EQ(summary({"0::/elsewhere\n"}).cores, std::nullopt);
}

TEST_F(CgroupsTest, BrokenFilesAreCountedGoneOnesAreNot) {
  mount(false);
  v2("a", "max", 0);
  file(std::string(kV2) + "a/cpu.max", "nonsense\n");
  file(std::string(kV2) + "a/memory.max", "");
  file(std::string(kV2) + "a/memory.current", "-5\n");
  const auto s = summary({"0::/a\n"});
  EXPECT_EQ(s.cores, std::nullopt);
  EXPECT_EQ(errors.of(Source::cgroups), 3U);
  remove(std::string(kV2) + "a");
  summary({"0::/gone/deep\n"});
  EXPECT_EQ(errors.of(Source::cgroups), 3U);
}

TEST_F(CgroupsTest, ThousandsOfGroupsAreCutOff) {
  mount(false);
  std::vector<std::string> texts;
  for (int i = 0; i < 1000; i++) texts.push_back("0::/g" + std::to_string(i) + "\n");
  summary(texts);
  // The root of the hierarchy is one of the folders; a place asks for its own group three times:
  // for CPU, memory, and pressure.
  EXPECT_EQ(errors.of(Source::cgroups), (1000 - (Cgroups::kFollowed - 1)) * 3);
  summary({"0::/g0\n"});
  EXPECT_EQ(errors.of(Source::cgroups), (1000 - (Cgroups::kFollowed - 1)) * 3)
      << "the next collection has room again";
}

}  // namespace
}  // namespace nz::resources
