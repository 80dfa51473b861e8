#include "userspace/advice/journal_advice.h"

#include <fmt/format.h>

#include "analysis/bottlenecks/rules.h"

namespace nz::advice {
namespace {

constexpr double kShare = 0.5;    // of the statement: what else it does matters less then
constexpr double kLeast = 0.001;  // seconds: below, nobody wins much
constexpr double kMiB = 1048576;

bool dominates(double wait, const StatementWaits& waits) {
  return wait >= kLeast && wait >= kShare * waits.inside;
}

std::string of(double wait, const StatementWaits& waits) {
  return fmt::format("{:.3g} of {:.3g} ms", wait * 1e3, waits.inside * 1e3);
}

std::string use_wal(const StatementWaits& waits, const std::string& database) {
  return fmt::format(
      "PRAGMA journal_mode=WAL on {}, which has a rollback journal: {} of this statement were "
      "syncs "
      "of journal and database. A WAL is synced once a commit, and with PRAGMA synchronous=NORMAL "
      "only at checkpoints (a power failure may then take the last commits, never the database). "
      "Not where other hosts open the file, too.",
      database, of(waits.sync, waits));
}

std::string read_beside_the_writer(const StatementWaits& waits, const std::string& database) {
  return fmt::format(
      "PRAGMA journal_mode=WAL on {}, which has a rollback journal: {} of this read were waits for "
      "a "
      "writer's lock. With a WAL readers do not wait for the writer, nor he for them.",
      database, of(waits.busy, waits));
}

std::string checkpoint_elsewhere(const StatementWaits& waits, const std::string& database,
                                 bool writes) {
  return fmt::format(
      "PRAGMA wal_autocheckpoint=0 on the connections of the order path to {}, and a thread of its "
      "own that runs PRAGMA wal_checkpoint(PASSIVE) every second: {} of this statement were a "
      "checkpoint{}. Without that thread the WAL would grow without end.",
      database, of(waits.checkpoint, waits), writes ? ", which its commit set off" : "");
}

std::string sync_less(const StatementWaits& waits, const std::string& database) {
  return fmt::format(
      "PRAGMA synchronous=NORMAL on the connections to {}: {} of this statement were syncs of the "
      "WAL. With NORMAL a commit syncs nothing, checkpoints do; a power failure may take the last "
      "commits, never the database. Where none may be lost: several orders in a transaction, or "
      "the "
      "commit on a thread beside the order path.",
      database, of(waits.sync, waits));
}

std::string shorten_wal(const WalState& wal, const JournalState& journal) {
  const double pending = static_cast<double>(wal.lag()) * journal.page_size;
  return fmt::format(
      "Checkpoint {}: {} pages ({:.0f} MiB) of its WAL wait for one, and every read searches them. "
      "{}",
      journal.database, wal.lag(), pending / kMiB,
      journal.pinned_by.empty()
          ? "PRAGMA wal_checkpoint(PASSIVE) every second on a thread of its own keeps it short."
          : fmt::format("{} reads an old state and is in the way: end its transaction or reset its "
                        "statement, then PRAGMA wal_checkpoint(TRUNCATE).",
                        journal.pinned_by));
}

}  // namespace

Result<JournalState> journal_state_of(const OpenDatabase& database) {
  const auto header = header_of(database.path);
  if (!header) return tl::unexpected(header.error());
  JournalState state{database.shown, header->wal_mode, header->page_size, std::nullopt, {}};
  if (state.wal_mode) state.wal = wal_state_of(database.path);
  return state;
}

std::vector<std::string> journal_advice(const StatementWaits& waits, const JournalState& journal) {
  std::vector<std::string> advice;
  if (!journal.wal_mode) {
    if (dominates(waits.sync, waits)) {
      advice.push_back(use_wal(waits, journal.database));
    } else if (waits.reads && dominates(waits.busy, waits)) {
      advice.push_back(read_beside_the_writer(waits, journal.database));
    }
    return advice;
  }
  if (dominates(waits.checkpoint, waits)) {
    advice.push_back(checkpoint_elsewhere(waits, journal.database, !waits.reads));
  } else if (dominates(waits.sync, waits)) {
    advice.push_back(sync_less(waits, journal.database));
  }
  if (journal.wal &&
      static_cast<double>(journal.wal->lag()) * journal.page_size >= analysis::Rules{}.wal_bytes)
    advice.push_back(shorten_wal(*journal.wal, journal));
  return advice;
}

}  // namespace nz::advice
