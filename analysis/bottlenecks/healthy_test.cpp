// None of it is a bottleneck: load that varies, night and day, no reference, few orders, services
// that sync each commit.
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "analysis/bottlenecks/scene.h"

namespace nz::analysis::test {
namespace {

struct Case {
  std::string name;
  std::function<void(Scene&, Scene&)> change;  ///< now, reference
  bool counts_orders = false;                  ///< healthy only because so few orders are touched
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> cases() {
  const auto slower = [](Scene& s, double by) {
    for (auto& [stage, parts] : s.us) parts["running"] *= by;
  };
  return {
      {"the_same", [](Scene&, Scene&) {}},
      {"load_doubled",
       [](Scene& s, Scene&) {
         s.rate *= 2;
         s.us["risk"]["runnable"] = 6;
       }},
      {"load_tenfold",
       [](Scene& s, Scene&) {
         s.rate *= 10;
         s.us["risk"]["runnable"] = 12;
         s.us["risk"]["lock"] = 8;
         s.forks = 30;
       }},
      {"night_after_day",
       [slower](Scene& s, Scene&) {
         s.rate = 3;  // 30 orders in the window: cold caches and slow clocks
         slower(s, 2);
       }},
      {"day_after_night",
       [](Scene& s, Scene& r) {
         r.rate = 3;
         s.us["risk"]["runnable"] = 9;
       }},
      {"nothing_traded", [](Scene& s, Scene&) { s.rate = 0; }},
      {"reference_without_orders", [](Scene&, Scene& r) { r.rate = 0; }},
      {"one_order",
       [](Scene& s, Scene&) {
         s.rate = 0.1;
         s.us["risk"]["lock"] = 50'000;
       },
       true},
      {"nineteen_orders",
       [](Scene& s, Scene&) {
         s.rate = 1.9;
         s.us["risk"]["lock"] = 50'000;
       },
       true},
      {"window_of_two_seconds",
       [](Scene& s, Scene&) {
         s.seconds = 2;
         s.us["risk"]["lock"] = 50'000;
       }},
      {"twentieth_slower", [slower](Scene& s, Scene&) { slower(s, 1.05); }},
      {"third_slower", [slower](Scene& s, Scene&) { slower(s, 1.33); }},
      {"some_more_of_everything",
       [](Scene& s, Scene&) {
         for (auto& [stage, parts] : s.us) {
           for (auto& [component, us] : parts) us *= 1.2;
         }
       }},
      {"other_work_on_idle_cpus",
       [](Scene& s, Scene&) {
         s.others = 1.2;
         s.others_kernel = 0.2;
       }},
      {"a_build_beside_it",
       [slower](Scene& s, Scene&) {
         s.others = 0.8;
         s.forks = 90;
         s.counter("nearzero_host_vm_events_total", {{"event", "pgfault"}}, 120'000);
         slower(s, 1.1);
       }},
      {"some_retransmits",
       [](Scene& s, Scene&) {
         s.counter("nearzero_tcp_retransmits_total", {{"target", "demo"}}, 0.3);
         s.histogram("nearzero_tcp_round_trip_seconds", {{"target", "demo"}}, 600, 2e-4);
       }},
      {"a_busy_fast_disk",
       [](Scene& s, Scene& r) {
         for (Scene* x : {&s, &r}) {
           x->counter("nearzero_disk_busy_seconds_total", {{"device", "nvme0n1"}}, 0.97);
           x->counter("nearzero_disk_queue_seconds_total", {{"device", "nvme0n1"}}, 1.2);
         }
       }},
      {"half_the_descriptors",
       [](Scene& s, Scene&) {
         s.gauge("nearzero_target_open_files", {{"target", "demo"}, {"kind", "used"}}, 512);
         s.gauge("nearzero_target_open_files", {{"target", "demo"}, {"kind", "limit"}}, 1024);
       }},
      {"more_major_faults_after_a_start",
       [](Scene& s, Scene&) {
         s.counter("nearzero_target_page_faults_total", {{"target", "demo"}, {"kind", "major"}},
                   40);
       }},
      {"memory_full_of_cache",
       [](Scene& s, Scene&) {
         s.gauge("nearzero_host_memory_bytes", {{"kind", "total"}}, 8e9);
         s.gauge("nearzero_host_memory_bytes", {{"kind", "available"}}, 0.2e9);
       }},
      {"faults_grow_with_load",
       [](Scene& s, Scene& r) {
         s.rate = 3'000;
         s.counter("nearzero_target_page_faults_total", {{"target", "demo"}, {"kind", "minor"}},
                   20'000);
         r.counter("nearzero_target_page_faults_total", {{"target", "demo"}, {"kind", "minor"}},
                   2'000);
       }},
      {"throttled_as_ever",
       [](Scene& s, Scene& r) {
         for (Scene* x : {&s, &r}) {
           x->us["signal"]["runnable"] = 200;
           x->counter("nearzero_target_throttled_seconds_total", {{"target", "demo"}}, 0.1);
         }
       }},
      {"a_single_stall",
       [](Scene& s, Scene&) {
         // 3,000 orders; one of them waited 400 ms for a lock: its time is in the mean.
         s.us["risk"]["lock"] = 134;
         s.more.push_back({"nearzero_order_stage_duration_seconds",
                           {{"target", "demo"}, {"stage", "order"}},
                           0,
                           0,
                           0,
                           0,
                           Scene::values(1, 0.4)});
       },
       true},
      {"syncs_each_commit_as_ever",
       [](Scene& s, Scene& r) {
         for (Scene* x : {&s, &r}) {
           x->us["persist"]["disk"] = 900;
           x->waits["sync"] = {900, 1};
         }
       }},
      {"a_disk_without_discard_and_zones",
       [](Scene& s, Scene&) {
         for (const char* op : {"discard", "other"}) {
           s.counter("nearzero_block_io_errors_total", {{"device", "vda"}, {"op", op}}, 3);
         }
         s.counter("nearzero_block_io_errors_total", {{"device", "vda"}, {"op", "write"}}, 0);
       }},
      {"drives_without_a_medium",
       [](Scene& s, Scene&) {
         for (const char* device : {"fd0", "sr0"}) {
           s.counter("nearzero_block_io_errors_total", {{"device", device}, {"op", "read"}}, 3);
         }
       }},
      {"constraints_and_an_error_of_last_week",
       [](Scene& s, Scene&) {
         const auto with = [](const char* label, const char* value) {
           return Labels{{"target", "demo"}, {"digest", "bb02"}, {label, value}};
         };
         s.counter("nearzero_sqlite_results_total",
                   {{"target", "demo"}, {"code", "SQLITE_CONSTRAINT"}}, 5);
         s.counter("nearzero_sqlite_results_total", {{"target", "demo"}, {"code", "SQLITE_IOERR"}},
                   0);
         s.counter("nearzero_sqlite_statement_errors_total", with("statement", "INSERT"), 5);
         s.gauge("nearzero_sqlite_statement_code", with("code", "SQLITE_IOERR"), 1);
         s.gauge("nearzero_sqlite_statement_stage", with("stage", "persist"), 1);
       }},
      {"a_report_at_night",
       [](Scene& s, Scene&) {
         s.rate = 30;
         s.statements.push_back({"cc03", "SELECT * FROM orders LIMIT ?", 900, 1.0 / 30, 1000});
       }},
      {"read_only_image",
       [](Scene& s, Scene&) {
         const Labels size{{"mount", "/snap/x"}, {"device", "/dev/loop3"}, {"kind", "size"}};
         const Labels available{
             {"mount", "/snap/x"}, {"device", "/dev/loop3"}, {"kind", "available"}};
         s.gauge("nearzero_filesystem_bytes", size, 1e8);
         s.gauge("nearzero_filesystem_bytes", available, 0);
       }},
  };
}

class Healthy : public ::testing::TestWithParam<Case> {};

TEST_P(Healthy, HasNoFinding) {
  Scene now, reference;
  GetParam().change(now, reference);
  const auto found = find(now, reference);
  EXPECT_TRUE(found.empty()) << told(found);
}

class HealthyWithoutStages : public Healthy {};

TEST_P(HealthyWithoutStages, HasNoFinding) {
  Scene now, reference;
  GetParam().change(now, reference);
  now.stages = reference.stages = false;
  const auto found = find(now, reference);
  EXPECT_TRUE(found.empty()) << told(found);
}

// Without stages orders are not counted.
std::vector<Case> cases_without_stages() {
  auto all = cases();
  std::erase_if(all, [](const Case& c) { return c.counts_orders; });
  return all;
}

constexpr auto kHealthyName = [](const auto& param) { return param.param.name; };
INSTANTIATE_TEST_SUITE_P(Cases, Healthy, ::testing::ValuesIn(cases()), kHealthyName);
INSTANTIATE_TEST_SUITE_P(Cases, HealthyWithoutStages, ::testing::ValuesIn(cases_without_stages()),
                         kHealthyName);

TEST(HealthyAlone, NoFindingWithoutAReference) {
  const auto found = find(Scene{}, std::nullopt);
  EXPECT_TRUE(found.empty()) << told(found);
}

TEST(HealthyAlone, ACommitThatSyncsQuicklyIsNoFault) {
  Scene s;
  s.us["persist"]["disk"] = 1'500;
  s.waits["sync"] = {1'500, 1};
  const auto found = find(s, std::nullopt);
  EXPECT_TRUE(found.empty()) << told(found);
}

// At 100 orders/s caches are cold and a commit syncs: run 41 of the fault matrix of 2026-11-28.
TEST(HealthyAlone, AWriteOfAQuietServiceThatTakesAMillisecondIsNoFault) {
  Scene s;
  s.rate = 100;
  s.us = {{"signal", {{"running", 200}}},
          {"risk", {{"running", 193}, {"runnable", 170}}},
          {"persist", {{"running", 500}, {"disk", 600}, {"runnable", 107}}}};
  s.statements[1].mean_us = 1'300;
  const auto found = find(s, std::nullopt);
  EXPECT_TRUE(found.empty()) << told(found);
}

TEST(HealthyAlone, AQuickStatementThatDominatesIsNoFault) {
  Scene s;
  s.us["risk"]["running"] = 900;
  s.statements[0].mean_us = 800;
  const auto found = find(s, std::nullopt);
  EXPECT_TRUE(found.empty()) << told(found);
}

TEST(HealthyAlone, AServiceThatWaitsForItsVenueIsNoFault) {
  Scene s;
  s.us["persist"]["network"] = 20'000;
  const auto found = find(s, std::nullopt);
  EXPECT_TRUE(found.empty()) << told(found);
}

TEST(HealthyAlone, AnEmptyWindowHasNoFinding) {
  EXPECT_TRUE(find_bottlenecks(Window{}, Window{}, {}, {}).empty());
}

// 200 healthy pairs of windows with load between a third and three times the reference, noise of
// 15 % on every part and waits that grow with the load.
TEST(HealthyAlone, RandomLoadHasNoFinding) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> log_load(std::log(1.0 / 3), std::log(3.0));
  std::normal_distribution<double> noise(1, 0.15);
  std::uniform_real_distribution<double> others(0.05, 0.6);
  int wrong = 0;
  std::string what;
  for (int i = 0; i < 200; i++) {
    Scene now, reference;
    for (Scene* s : {&now, &reference}) {
      const double load = std::exp(log_load(random));
      s->rate *= load;
      s->others = others(random);
      for (auto& [stage, parts] : s->us) {
        for (auto& [component, us] : parts) {
          us *= std::max(0.2, noise(random));
          if (component == "runnable" || component == "lock") us *= load;
        }
      }
    }
    const auto found = find(now, reference);
    if (!found.empty()) {
      wrong++;
      what += told(found) + "\n";
    }
  }
  EXPECT_EQ(wrong, 0) << what;
}

}  // namespace
}  // namespace nz::analysis::test
