#include "userspace/resources/disks.h"

#include "userspace/resources/block_devices.h"
#include "userspace/resources/text.h"

namespace nz::resources {
namespace {

constexpr double kSectorBytes = 512;  // of diskstats, whatever the device's own
constexpr size_t kMostDiskNames = 65536;

enum Column : size_t {
  kReads,
  kReadSectors,
  kWrites,
  kWrittenSectors,
  kInFlight,
  kBusy,
  kQueue,
  kDiscards,
  kDiscardedSectors,
  kFlushes,
};

std::vector<Bounded::Column> columns() {
  using enum Bounded::Column;
  // The kernel prints the milliseconds with 32 bits: a queue of 32 wraps after a day and a half.
  return {counter,    counter,    counter, counter, gauge,
          counter_32, counter_32, counter, counter, counter};
}

bool is_virtual(const std::string& name) {
  for (const char* prefix : {"loop", "ram", "zram", "fd", "sr", "nbd"}) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace

std::optional<DiskRow> parse_disk_row(std::string_view line) {
  Words words(line);
  words.skip(2);
  DiskRow row;
  row.name = words.next();
  uint64_t merged = 0;
  uint64_t milliseconds = 0;
  for (uint64_t* value :
       {&row.reads, &merged, &row.read_sectors, &milliseconds, &row.writes, &merged,
        &row.written_sectors, &milliseconds, &row.in_flight, &row.busy_ms, &row.queue_ms}) {
    const auto number = words.number();
    if (!number) return std::nullopt;
    *value = *number;
  }
  for (uint64_t* value : {&row.discards, &merged, &row.discarded_sectors, &milliseconds,
                          &row.flushes, &milliseconds}) {
    const std::string_view word = words.next();
    if (word.empty()) break;  // an older kernel
    const auto number = number_of(word);
    if (!number) return std::nullopt;
    *value = *number;
  }
  return row;
}

Disks::Disks(const Paths& paths)
    : paths_(paths), stats_(paths.proc + "/diskstats"), bounded_(columns(), kNamed) {}

bool Disks::is_whole(const std::string& name) {
  if (whole_.size() > kMostDiskNames) whole_.clear();
  const auto [known, fresh] = whole_.try_emplace(name, false);
  if (fresh) known->second = is_whole_device(paths_, name);
  return known->second;
}

std::vector<Bounded::Item> Disks::read(Context& context, const std::set<std::string>& used) {
  std::vector<Bounded::Item> items;
  const auto text = stats_.read(context.buffer);
  if (!text) {
    context.errors.count(Source::disks);
    return items;
  }
  Lines lines(*text);
  while (const auto line = lines.next()) {
    auto row = parse_disk_row(*line);
    if (!row) {
      context.errors.count(Source::disks);
      continue;
    }
    const bool in_use = used.contains(row->name);
    const bool idle = row->reads + row->writes == 0;
    if (!in_use && (idle || is_virtual(row->name))) continue;
    if (!is_whole(row->name)) continue;
    items.push_back(
        {std::move(row->name),
         in_use,
         {row->reads, row->read_sectors, row->writes, row->written_sectors, row->in_flight,
          row->busy_ms, row->queue_ms, row->discards, row->discarded_sectors, row->flushes}});
  }
  if (lines.torn()) context.errors.count(Source::disks);
  return items;
}

void Disks::collect(Context& context, const std::set<std::string>& used) {
  const auto items = read(context, used);
  if (items.empty() && !stats_.is_open()) return;  // not read: the figures would be old
  bounded_.update(items);
  Rows busy(context, "nearzero_disk_busy_seconds_total",
            "Seconds in which the device had at least one request.", kCounter);
  Rows queue(context, "nearzero_disk_queue_seconds_total",
             "Seconds of all requests together: its rate is the mean number in flight.", kCounter);
  Rows operations(context, "nearzero_disk_operations_total", "Requests completed.", kCounter);
  Rows bytes(context, "nearzero_disk_bytes_total", "Bytes read, written, discarded.", kCounter);
  Rows in_flight(context, "nearzero_disk_in_flight", "Requests in progress now.", kGauge);
  const auto show = [&](const std::string& device, const Bounded::Row& row) {
    busy.add({{"device", device}}, row[kBusy] / 1e3);
    queue.add({{"device", device}}, row[kQueue] / 1e3);
    in_flight.add({{"device", device}}, row[kInFlight]);
    const auto op = [&](const char* name, size_t count, size_t sectors) {
      operations.add({{"device", device}, {"op", name}}, row[count]);
      if (sectors != count)
        bytes.add({{"device", device}, {"op", name}}, row[sectors] * kSectorBytes);
    };
    op("read", kReads, kReadSectors);
    op("write", kWrites, kWrittenSectors);
    op("discard", kDiscards, kDiscardedSectors);
    op("flush", kFlushes, kFlushes);
  };
  for (const auto& [name, row] : bounded_.named()) show(name, row);
  if (bounded_.has_other()) show("other", bounded_.other());
}

}  // namespace nz::resources
