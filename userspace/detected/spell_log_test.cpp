#include "userspace/detected/spell_log.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "userspace/store/test_disk.h"
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

template <class T>
SpellLog<T> open_log(store::Store& store) {
  auto log = SpellLog<T>::open(store);
  EXPECT_TRUE(log) << log.error().text();
  return std::move(log).value();
}

TEST(SpellLog, KeepsFromWhenToWhenAndAnewWhereFiguresChange) {
  const Folder folder;
  auto store = store::testing::open_store({.path = folder.file()});
  auto log = open_log<Regression>(*store);
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
  auto log = open_log<Incident>(*store);
  log.step(1000, {incident(1)});
  log.step(1010, {incident(2)});
  EXPECT_EQ(at_place<Incident>(*store, "000")->what.members.size(), 2U);
  Incident rose = incident(2);
  rose.members[0].score = 0.999;
  log.step(1015, {rose});
  EXPECT_EQ(at_place<Incident>(*store, "000")->what.members.at(0).score, 0.999)
      << "rules judge an incident while it is open";
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
  open_log<Regression>(*store).step(1000, {regression()});
  open_log<Regression>(*store).step(2000, {regression()});
  EXPECT_EQ(at_place<Regression>(*store, "000")->to, 0);
  open_log<Regression>(*store).step(3000, {});
  EXPECT_EQ(at_place<Regression>(*store, "000")->to, 3000);
}

// The end of the first was waiting for the disk when the agent died.
TEST(SpellLog, OfTwoThatAreOpenTheEarlierHasEnded) {
  const Folder folder;
  auto store = store::testing::open_store({.path = folder.file()});
  const auto put = [&](const char* place, double after, double from) {
    const Spell<Regression> spell{regression(after), from, 0};
    ASSERT_TRUE(store->put_state(std::string(key_prefix<Regression>()) + place, save(spell)));
  };
  put("003", 3e-3, 1020);
  put("004", 2e-3, 1000);
  put("005", 4e-3, 1040);
  auto log = open_log<Regression>(*store);
  EXPECT_EQ(at_place<Regression>(*store, "004")->to, 1020);
  EXPECT_EQ(at_place<Regression>(*store, "003")->to, 1040);
  log.step(2000, {regression(4e-3)});
  EXPECT_EQ(at_place<Regression>(*store, "005")->to, 0) << "it goes on";
  EXPECT_FALSE(at_place<Regression>(*store, "000"));
}

TEST(SpellLog, TheOldestMakesRoomButNotAnOpenOne) {
  const Folder folder;
  auto store = store::testing::open_store({.path = folder.file()});
  auto log = open_log<Regression>(*store);
  Regression lasting = regression();
  lasting.id = "lasting";
  for (std::size_t i = 0; i < kPlaces; i++) {
    const double at = 1000 + 10.0 * static_cast<double>(i);
    log.step(at, {lasting, regression()});
    log.step(at + 5, {lasting});
  }
  EXPECT_EQ(store->states(key_prefix<Regression>()).value().size(), kPlaces);
  EXPECT_EQ(at_place<Regression>(*store, "000")->what.id, "lasting");
  EXPECT_EQ(at_place<Regression>(*store, "001")->from, 1000 + 10.0 * (kPlaces - 1))
      << "the newest is where the oldest was";
}

TEST(SpellLog, OldIsWhatHasBeenOverForLong) {
  const Folder folder;
  auto store = store::testing::open_store({.path = folder.file()});
  auto log = open_log<Regression>(*store);
  Regression lasting = regression();
  lasting.id = "lasting";
  for (std::size_t i = 1; i < kPlaces; i++) {
    const double at = 10.0 * static_cast<double>(i);
    log.step(at, {lasting, regression()});
    log.step(at + 5, {lasting});
  }
  log.step(9000, {});
  log.step(9010, {regression()});
  log.step(9020, {});
  EXPECT_EQ(at_place<Regression>(*store, "000")->to, 9000) << "it began first and ended last";
  EXPECT_EQ(at_place<Regression>(*store, "001")->from, 9010);
  open_log<Regression>(*store).step(9030, {regression()});
  EXPECT_EQ(at_place<Regression>(*store, "000")->to, 9000) << "a restart knows it, too";
  EXPECT_EQ(at_place<Regression>(*store, "002")->from, 9030);
}

TEST(SpellLog, AFileThatCannotBeReadIsNotWritten) {
  const Folder folder;
  auto store = store::testing::open_store({.path = folder.file("not/there/history.db")});
  EXPECT_FALSE(SpellLog<Regression>::open(*store));
}

TEST(SpellLog, AnEndThatTheStoreDidNotTakeIsTriedAgain) {
  const Folder folder;
  store::testing::TestDisk disk;
  auto store =
      store::testing::open_store({.path = folder.file(), .vfs = store::testing::TestDisk::kName});
  auto log = open_log<Regression>(*store);
  log.step(1000, {regression()});
  store::testing::save(*store);
  disk.fail(SQLITE_FULL);
  // As much as may wait for the disk.
  int fillers = 0;
  const auto name = [](int filler) { return "filler/" + std::to_string(filler); };
  for (const std::size_t bytes : {15U << 20U, 1U << 20U, 1U << 10U, 1U << 6U}) {
    while (store->put_state(name(fillers), std::string(bytes, 'x'))) fillers++;
  }
  log.step(1010, {});
  EXPECT_EQ(at_place<Regression>(*store, "000")->to, 0) << "there was no room for it";
  for (int i = 0; i < fillers; i++) ASSERT_TRUE(store->put_state(name(i), ""));
  disk.fail(0);
  log.step(1020, {regression()});
  EXPECT_EQ(at_place<Regression>(*store, "000")->to, 1010);
  EXPECT_EQ(at_place<Regression>(*store, "001")->from, 1020) << "the same again, not a longer one";
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
