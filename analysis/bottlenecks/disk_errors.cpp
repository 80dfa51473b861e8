// Requests to a disk or statements of SQLite end in errors: what was to be written is not there, or
// what is there cannot be read. USE: errors of storage.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "analysis/bottlenecks/databases.h"
#include "analysis/bottlenecks/failed_statements.h"
#include "analysis/bottlenecks/kinds.h"
#include "analysis/text.h"

namespace nz::analysis {
namespace {

constexpr const char* kKind = "disk_errors";
constexpr const char* kRequests = "nearzero_block_io_errors_total";
constexpr const char* kResults = "nearzero_sqlite_results_total";
constexpr const char* kErrors = "nearzero_sqlite_statement_errors_total";
/// Discards and operations on zones also fail on devices that merely do not have them.
constexpr std::array<const char*, 3> kOps = {"read", "write", "flush"};
/// sqlite3.h, "Result Codes".
constexpr ResultCode kIoError{"SQLITE_IOERR", 10};
constexpr ResultCode kCorrupt{"SQLITE_CORRUPT", 11};
constexpr ResultCode kFull{"SQLITE_FULL", 13};
constexpr std::size_t kMost = 3;  // digests that are told
/// Confidence that a failing device has more where the target's database lies on it, and once more
/// where the database's I/O fails, too: so it is told before others, and of that target.
constexpr double kSurer = 0.1;

Evidence rate_of(const Context& context, const char* family, const Labels& labels,
                 const std::string& what) {
  const auto before = context.has_reference()
                          ? std::optional<double>(context.before.rate(family, labels))
                          : std::nullopt;
  return evidence(family, labels, what, context.now.rate(family, labels), before, "per second");
}

std::string database_on(const std::vector<Database>& databases, const std::string& device) {
  const auto on = std::find_if(databases.begin(), databases.end(),
                               [&](const Database& d) { return d.device == device; });
  return on == databases.end() ? std::string{} : on->path;
}

std::string advice_for_disk(const std::string& device, const std::string& database) {
  // "other": one of many; "8:16": it has gone, and its name with it.
  const bool named = device != "other" && device.find(':') == std::string::npos;
  return "dmesg -T | grep -i '" + (named ? device : std::string("I/O error")) +
         "' says which sectors and why; smartctl -a " +
         (named ? "/dev/" + device : std::string("of that disk")) +
         " shows reallocated and pending sectors or media errors (a cloud volume: its provider's "
         "state of it). See whether its file system is read-only now: findmnt -lo TARGET,OPTIONS. "
         "Move the data to another disk and replace this one; " +
         (database.empty() ? "then check what lies on it."
                           : "then run PRAGMA integrity_check on a copy of " + database +
                                 ": a write that failed may be missing from it.");
}

// A floppy or an optical drive, of which most virtual machines have one: without a medium each look
// at it (blkid, update-grub) ends in an error, and nothing is lost by that.
bool takes_media(const std::string& device) {
  return device.size() > 2 && (device.starts_with("fd") || device.starts_with("sr")) &&
         device.find_first_not_of("0123456789", 2) == std::string::npos;
}

void find_failed_requests(const Context& context, const OrderPath& path,
                          const std::vector<Database>& databases, std::vector<Candidate>& out) {
  const bool statements_fail =
      context.now.change(kResults, {{"target", path.target()}, {"code", kIoError.name}}) > 0;
  for (const std::string& device : context.now.values_of(kRequests, "device")) {
    if (takes_media(device)) continue;
    Candidate c = candidate(kKind, path, "host disk " + device);
    double failed = 0;
    std::string by_op;
    for (const char* op : kOps) {
      const Labels labels{{"device", device}, {"op", op}};
      const double count = context.now.change(kRequests, labels);
      if (count <= 0) continue;
      failed += count;
      by_op += (by_op.empty() ? "" : ", ") + number_text(count) + " " + op;
      c.finding.evidence.push_back(
          rate_of(context, kRequests, labels, std::string("failed, ") + op));
    }
    if (failed < context.rules.disk_errors) continue;
    const std::string database = database_on(databases, device);
    c.finding.title = "Disk " + device + " fails requests: " + by_op +
                      (database.empty() ? "" : "; " + database + " lies on it");
    c.finding.recommendation = advice_for_disk(device, database);
    c.always = true;
    c.least_severity = Severity::warning;
    if (!database.empty()) c.least_confidence += statements_fail ? 2 * kSurer : kSurer;
    out.push_back(std::move(c));
  }
}

std::string advice_for_statements(const ResultCode& code, const std::string& told) {
  const std::string database = told.empty() ? "DATABASE" : told;
  if (code.number == kFull.number) {
    return "See what is at its end: df -h and df -i of the directory of " + database +
           ", quota -s of the service's user (repquota -a), PRAGMA max_page_count; temporary files "
           "count, too (SQLITE_TMPDIR, /var/tmp). Free space, raise the limit or enlarge the "
           "volume. A statement that failed was undone: what it was to write must be written "
           "again.";
  }
  if (code.number == kCorrupt.number) {
    return "Stop its writers, copy " + database +
           " with its -wal, and run sqlite3 COPY 'PRAGMA integrity_check'. Only indexes are named: "
           "REINDEX. Otherwise restore the last good backup, or what can be read: sqlite3 COPY "
           ".recover | sqlite3 NEW. Then find why: dmesg -T and smartctl -a of its disk, a copy "
           "made while it was written, a -wal that was deleted or belongs to another file.";
  }
  return "dmesg -T says whether its disk fails (smartctl -a /dev/DISK) or its file system has "
         "become read-only (findmnt -T " +
         database +
         "); sqlite3_extended_errcode() in the service names the call (SQLITE_IOERR_FSYNC, _WRITE, "
         "_SHORT_READ). After a failed sync the last commits may be missing: run PRAGMA "
         "integrity_check on a copy, and move the database to a disk that is sound.";
}

void find_failed_statements(const Context& context, const OrderPath& path, const ResultCode& code,
                            const std::vector<Database>& databases, std::vector<Candidate>& out) {
  const FailedStatements failed = failed_statements(context, path, code, databases);
  if (failed.count < context.rules.disk_errors) return;
  const Labels labels{{"target", path.target()}, {"code", code.name}};
  Candidate c = candidate(kKind, path, code.name);
  // No database and no digest: `where` is a label of alerts, and these come and go with windows.
  c.finding.where = std::string(code.name) + " of " + path.target();
  c.finding.title = std::string("SQLite statements fail with ") + code.name + " (" +
                    number_text(failed.count) + ")" +
                    (failed.database.empty() ? "" : " on " + failed.database);
  c.finding.evidence.push_back(
      rate_of(context, kResults, labels, std::string("ended with ") + code.name));
  bool hits_orders = false;
  if (failed.digests.empty()) {
    c.finding.title += "; which ones is not known";
  } else {
    const FailedDigest& first = failed.digests.front();
    hits_orders = !first.stage.empty();
    c.finding.title += (hits_orders ? " in stage " + first.stage : "") + ": " + first.text;
  }
  for (std::size_t i = 0; i < std::min(kMost, failed.digests.size()); i++) {
    const FailedDigest& d = failed.digests[i];
    const Labels digest{{"target", path.target()}, {"digest", d.digest}};
    c.finding.evidence.push_back(
        rate_of(context, kErrors, digest, "errors of " + d.digest + ", of any code"));
  }
  if (failed.digests.size() > kMost) {
    c.finding.evidence.push_back(evidence(
        "nearzero_sqlite_statement_code", labels, "statements with errors and this code, in all",
        static_cast<double>(failed.digests.size()), std::nullopt, ""));
  }
  c.finding.recommendation = advice_for_statements(code, failed.database);
  c.always = true;
  c.least_severity = hits_orders ? Severity::critical : Severity::warning;
  if (hits_orders) {
    c.failed = std::max(0.0, path.per_order_now(failed.of_orders, "sqlite") -
                                 path.per_order_before(failed.of_orders_before, "sqlite"));
  }
  out.push_back(std::move(c));
}

}  // namespace

void find_disk_errors(const Context& context, const OrderPath& path, std::vector<Candidate>& out) {
  const std::vector<Database> own = databases(context, path);
  find_failed_requests(context, path, own, out);
  for (const ResultCode& code : {kIoError, kCorrupt, kFull})
    find_failed_statements(context, path, code, own, out);
}

}  // namespace nz::analysis
