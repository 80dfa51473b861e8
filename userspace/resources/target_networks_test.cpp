// Targets in network namespaces of their own: which are read, how often, whose figures become
// whose, and who moves, ends or cannot be looked at meanwhile.
#include "userspace/resources/target_networks.h"

#include <map>

#include "userspace/resources/fake_tree.h"

namespace nz::resources {
namespace {

class TargetNetworksTest : public FakeTree {
 protected:
  TargetNetworksTest() { link("proc/self/ns/net", "net:[1]"); }

  /// A process of `target` in this namespace; again: it has moved there.
  void process(pid_t pid, const std::string& target, const std::string& space) {
    const std::string folder = "proc/" + std::to_string(pid);
    file(folder + "/stat",
         std::to_string(pid) + " (x) S 1 2 3 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 50 100000 25 1 1\n");
    file(folder + "/io", "read_bytes: 0\nwrite_bytes: 0\n");
    file(folder + "/fd/0", "");
    move(pid, space);
    members_[pid] = target;
  }
  void move(pid_t pid, const std::string& space) const {
    const std::string name = "proc/" + std::to_string(pid) + "/ns/net";
    remove(name);
    link(name, space);
  }
  struct Counts {
    int bytes = 0, drops = 0, overflows = 0, retransmits = 0, full = 0;
  };
  /// What /proc/PID/net says.
  void counts(pid_t pid, const Counts& c) const {
    const auto n = [](int value) { return std::to_string(value); };
    const std::string net = "proc/" + std::to_string(pid) + "/net/";
    file(net + "dev",
         "Inter-|   Receive\n face |bytes\n    lo: 77 7 0 0 0 0 0 0 77 7 0 0 0 0 0 0\n"
         "  eth0: " +
             n(c.bytes) + " 1 0 " + n(c.drops) +
             " 0 0 0 0 5 6 7 8 0 0 0 0\n  eth1: 1000 1 0 0 0 0 0 0 5 6 7 8 0 0 0 0\n");
    file(net + "snmp", "Tcp: OutSegs RetransSegs\nTcp: 1000 " + n(c.retransmits) +
                           "\nUdp: RcvbufErrors\nUdp: " + n(c.full) + "\n");
    file(net + "netstat",
         "TcpExt: ListenOverflows ListenDrops\nTcpExt: " + n(c.overflows) + " 9\n");
  }
  void round() {
    std::map<std::string, TargetProcesses> targets;
    for (const auto& [pid, target] : members_) {
      targets[target].name = target;
      targets[target].processes.push_back({pid, 50});
    }
    listed_.clear();
    for (auto& [name, target] : targets) listed_.push_back(std::move(target));
    collect([&](Context& c) {
      processes_.collect(c, listed_, now_ += 100, false);
      networks_.collect(c, listed_, processes_);
    });
  }
  /// Until what is read seldom has been read.
  void rounds(int n) {
    for (int i = 0; i < n; i++) round();
  }
  void end(pid_t pid) {
    file("proc/" + std::to_string(pid) + "/stat", "");  // the descriptor that is open
    remove("proc/" + std::to_string(pid));
  }
  [[nodiscard]] std::optional<double> spaces(const std::string& target, const char* state) const {
    return value("nearzero_target_network_namespaces", {{"target", target}, {"state", state}});
  }
  [[nodiscard]] std::optional<double> tcp(const std::string& target, const char* event) const {
    return value("nearzero_target_tcp_events_total", {{"target", target}, {"event", event}});
  }
  [[nodiscard]] std::optional<double> in(const std::string& target, const char* what) const {
    return value("nearzero_target_network_" + std::string(what) + "_total",
                 {{"target", target}, {"direction", "in"}});
  }

  std::map<pid_t, std::string> members_;
  std::vector<TargetProcesses> listed_;
  Processes processes_{paths.proc};
  TargetNetworks networks_{paths};
  uint64_t now_ = 10'000;
};

TEST_F(TargetNetworksTest, WhoLivesInTheHostsHasNoRows) {
  process(42, "t", "net:[1]");
  counts(42, {});
  round();
  EXPECT_TRUE(out.empty()) << out.front().name;
  EXPECT_EQ(errors.of(Source::network), 0U);
}

TEST_F(TargetNetworksTest, OfAContainerCountFromWhenItIsFirstSeen) {
  process(42, "t", "net:[2]");
  counts(42, {.bytes = 100, .drops = 3, .overflows = 5, .retransmits = 7, .full = 1});
  round();
  EXPECT_EQ(tcp("t", "listen_overflows"), 0);
  EXPECT_EQ(in("t", "bytes"), 0);
  counts(42, {.bytes = 150, .drops = 5, .overflows = 9, .retransmits = 8, .full = 4});
  round();
  EXPECT_EQ(tcp("t", "listen_overflows"), 4);
  EXPECT_EQ(tcp("t", "retransmits"), 1);
  EXPECT_EQ(tcp("t", "listen_drops"), 0);
  EXPECT_EQ(in("t", "bytes"), 50) << "of all interfaces but the loopback's";
  EXPECT_EQ(in("t", "drops"), 2);
  EXPECT_EQ(value("nearzero_target_udp_events_total",
                  {{"target", "t"}, {"event", "receive_buffer_full"}}),
            3);
  EXPECT_EQ(spaces("t", "read"), 1);
  EXPECT_EQ(spaces("t", "host"), 0);
  EXPECT_EQ(errors.of(Source::network) + errors.of(Source::processes), 0U);
}

TEST_F(TargetNetworksTest, WhatIsSharedIsReadOnceForAll) {
  process(42, "a", "net:[2]");
  process(43, "b", "net:[2]");
  process(44, "b", "net:[1]");
  counts(42, {.overflows = 5});
  counts(43, {.overflows = 1000});  // is not read: 42 has told
  rounds(2);
  counts(42, {.overflows = 6});
  round();
  EXPECT_EQ(tcp("a", "listen_overflows"), 1);
  EXPECT_EQ(tcp("b", "listen_overflows"), 1);
  EXPECT_EQ(spaces("a", "host"), 0);
  EXPECT_EQ(spaces("b", "host"), 1) << "it lives there, too";
}

TEST_F(TargetNetworksTest, SeveralOfOneTargetAreSummed) {
  for (const pid_t pid : {42, 43}) {
    process(pid, "t", "net:[" + std::to_string(pid) + "]");
    counts(pid, {.bytes = 1, .overflows = 1});
  }
  round();
  counts(42, {.bytes = 11, .overflows = 2});
  counts(43, {.bytes = 101, .overflows = 4});
  round();
  EXPECT_EQ(in("t", "bytes"), 110);
  EXPECT_EQ(tcp("t", "listen_overflows"), 4);
  EXPECT_EQ(spaces("t", "read"), 2);
}

TEST_F(TargetNetworksTest, WhoHasMovedIsNotBelieved) {
  process(42, "t", "net:[2]");
  counts(42, {.overflows = 5});
  round();
  move(42, "net:[3]");  // nobody has noticed yet: this is read every fifth time
  counts(42, {.overflows = 70'000});
  rounds(10);
  EXPECT_EQ(tcp("t", "listen_overflows"), 0) << "figures of elsewhere";
  EXPECT_EQ(spaces("t", "read"), 1) << "where it is now";
  counts(42, {.overflows = 70'001});
  round();
  EXPECT_EQ(tcp("t", "listen_overflows"), 1);
  move(42, "net:[1]");
  rounds(10);
  EXPECT_EQ(spaces("t", "host"), 1);
  EXPECT_EQ(spaces("t", "read"), 0);
  EXPECT_EQ(tcp("t", "listen_overflows"), 1) << "a counter does not end";
}

TEST_F(TargetNetworksTest, AnotherProcessTellsWhenTheFirstCannot) {
  process(42, "t", "net:[2]");  // has no net files: about to end
  process(43, "t", "net:[2]");
  counts(43, {.overflows = 5});
  round();
  counts(43, {.overflows = 6});
  round();
  EXPECT_EQ(tcp("t", "listen_overflows"), 1);
  EXPECT_EQ(errors.of(Source::network), 0U) << "what is gone is no error";
}

TEST_F(TargetNetworksTest, WhatCannotBeReadIsCountedAndTold) {
  process(42, "t", "net:[2]");
  counts(42, {});
  file("proc/42/net/dev", "no\nsense\nat all\n");
  round();
  EXPECT_EQ(errors.of(Source::network), 1U);
  EXPECT_EQ(spaces("t", "unreadable"), 1);
  EXPECT_EQ(tcp("t", "listen_overflows"), std::nullopt) << "nothing is known";
  counts(42, {.bytes = 5});
  round();
  EXPECT_EQ(spaces("t", "unreadable"), 0);
  EXPECT_EQ(in("t", "bytes"), 0);
  file("proc/42/net/dev", "");
  round();
  counts(42, {.bytes = 8});
  round();
  EXPECT_EQ(in("t", "bytes"), 3) << "as if nothing had been in between";
}

TEST_F(TargetNetworksTest, LinksThatAreNone) {
  process(42, "t", "net:[2]");
  remove("proc/42/ns/net");
  file("proc/42/ns/net", "no link");
  counts(42, {});
  round();
  EXPECT_EQ(rows("nearzero_target_network_namespaces"), 0U);
  EXPECT_EQ(errors.of(Source::processes), 1U);
}

TEST_F(TargetNetworksTest, TheRestIsLeftOutAndItsTurnComes) {
  constexpr auto kMore = static_cast<int>(TargetNetworks::kReadAtOnce) + 6;
  for (int i = 0; i < kMore; i++) {
    process(100 + i, "t", "net:[" + std::to_string(100 + i) + "]");
    counts(100 + i, {.overflows = 1});
  }
  round();
  EXPECT_EQ(spaces("t", "read"), static_cast<double>(TargetNetworks::kReadAtOnce));
  EXPECT_EQ(spaces("t", "left_out"), 6);
  round();
  for (int i = 0; i < kMore; i++) counts(100 + i, {.overflows = 2});
  rounds(2);
  EXPECT_EQ(tcp("t", "listen_overflows"), kMore) << "late, and none is lost";
}

TEST_F(TargetNetworksTest, WhatATargetHadStaysWhenItsContainerEnds) {
  process(42, "t", "net:[2]");
  counts(42, {.overflows = 1});
  round();
  counts(42, {.overflows = 4});
  round();
  end(42);
  process(43, "t", "net:[3]");  // the next one
  members_.erase(42);
  counts(43, {.overflows = 1});
  round();
  counts(43, {.overflows = 2});
  round();
  EXPECT_EQ(tcp("t", "listen_overflows"), 4);
}

}  // namespace
}  // namespace nz::resources
