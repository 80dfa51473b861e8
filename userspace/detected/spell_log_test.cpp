#include "userspace/detected/spell_log.h"

#include <gtest/gtest.h>

#include <optional>
#include <string_view>

#include "userspace/store/test_store.h"

namespace nz::detected {
namespace {

using analysis::Incident;
using analysis::Regression;
using store::testing::Folder;

Regression regression(double after = 2e-3) {
  Regression r;
  r.id = "r";
  r.of = {"nearzero_x_seconds", {{"target", "demo"}}, "p99", "seconds"};
  r.before = 1e-3;
  r.after = after;
  r.since = 990;
  r.confidence = 0.999;
  r.moved = {{0.99, 2}};
  r.events = {{995, "new_build", "demo", "a new build"}};
  r.state = analysis::FindingState::ongoing;
  return r;
}

Incident incident(std::size_t members, double until = 0) {
  Incident i;
  i.id = "i";
  i.since = 990;
  i.until = until;
  for (std::size_t m = 0; m < members; m++) {
    i.members.push_back({{"nearzero_y", {{"n", std::to_string(m)}}, "value", ""}, 990, 4, 2, 0.99});
  }
  return i;
}

template <class T>
std::optional<Spell<T>> at_place(const store::Store& store, const std::string& place) {
  const auto saved = store.get_state(key_prefix<T>() + place);
  if (!saved) return std::nullopt;
  auto spell = parse<T>(*saved);
  EXPECT_TRUE(spell) << spell.error().text();
  return spell ? std::optional(*spell) : std::nullopt;
}

TEST(SpellLog, KeepsFromWhenToWhenAndAnewWhereFiguresChange) {
  const Folder folder;
  auto store = store::testing::open_store({.path = folder.file()});
  SpellLog<Regression> log(*store);
  log.step(1000, {regression()});
  log.step(1010, {regression()});
  EXPECT_EQ(at_place<Regression>(*store, "000")->to, 0);
  log.step(1020, {regression(3e-3)});
  Regression over = regression(3e-3);
  over.state = analysis::FindingState::resolved;
  log.step(1030, {over});
  log.step(1040, {over});
  const auto first = at_place<Regression>(*store, "000");
  const auto second = at_place<Regression>(*store, "001");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->from, 1000);
  EXPECT_EQ(first->to, 1020);
  EXPECT_EQ(first->what.after, 2e-3);
  EXPECT_EQ(first->what.of.labels, regression().of.labels);
  EXPECT_EQ(first->what.moved, regression().moved);
  EXPECT_EQ(first->what.events.at(0).text, "a new build");
  EXPECT_EQ(second->from, 1020);
  EXPECT_EQ(second->to, 1030);
  EXPECT_EQ(second->what.after, 3e-3);
  EXPECT_FALSE(at_place<Regression>(*store, "002"));
}

TEST(SpellLog, AnIncidentGrowsInItsPlace) {
  const Folder folder;
  auto store = store::testing::open_store({.path = folder.file()});
  SpellLog<Incident> log(*store);
  log.step(1000, {incident(1)});
  log.step(1010, {incident(2)});
  EXPECT_EQ(at_place<Incident>(*store, "000")->what.members.size(), 2U);
  log.step(1020, {incident(2, 1015)});
  const auto spell = at_place<Incident>(*store, "000");
  ASSERT_TRUE(spell);
  EXPECT_EQ(spell->from, 1000);
  EXPECT_EQ(spell->to, 1020);
  EXPECT_EQ(spell->what.members.at(1).of.labels.at(0).second, "1");
  EXPECT_FALSE(at_place<Incident>(*store, "001"));
}

TEST(SpellLog, GoesOnAfterARestartAndEndsWhatIsGone) {
  const Folder folder;
  auto store = store::testing::open_store({.path = folder.file()});
  SpellLog<Regression>(*store).step(1000, {regression()});
  SpellLog<Regression>(*store).step(2000, {regression()});
  EXPECT_EQ(at_place<Regression>(*store, "000")->to, 0);
  SpellLog<Regression>(*store).step(3000, {});
  EXPECT_EQ(at_place<Regression>(*store, "000")->to, 3000);
}

TEST(SpellLog, TheOldestMakesRoomButNotAnOpenOne) {
  const Folder folder;
  auto store = store::testing::open_store({.path = folder.file()});
  SpellLog<Regression> log(*store);
  Regression lasting = regression();
  lasting.id = "lasting";
  for (std::size_t i = 0; i < kPlaces; i++) {
    const double at = 1000 + 10.0 * static_cast<double>(i);
    log.step(at, {lasting, regression()});
    log.step(at + 5, {lasting});
  }
  EXPECT_EQ(store->state_keys(key_prefix<Regression>()).size(), kPlaces);
  EXPECT_EQ(at_place<Regression>(*store, "000")->what.id, "lasting");
  EXPECT_EQ(at_place<Regression>(*store, "001")->from, 1000 + 10.0 * (kPlaces - 1))
      << "the newest is where the oldest was";
}

TEST(Spell, AnythingElseIsAnError) {
  const std::string saved = save(Spell<Incident>{incident(2), 1000, 0});
  EXPECT_TRUE(parse<Incident>(saved));
  for (std::size_t cut = 0; cut < saved.size(); cut += 7)
    EXPECT_FALSE(parse<Incident>(std::string_view(saved).substr(0, cut))) << cut;
  EXPECT_FALSE(parse<Regression>(saved)) << "another kind";
  EXPECT_FALSE(parse<Incident>(R"({"version":2,"from":1,"to":0,"what":{}})"));
}

}  // namespace
}  // namespace nz::detected
