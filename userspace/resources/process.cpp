#include "userspace/resources/process.h"

#include <dirent.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <memory>

#include "userspace/resources/network_namespace.h"
#include "userspace/resources/text.h"

namespace nz::resources {
namespace {

constexpr uint64_t kMostFilesWalked = 65536;

// Numbers of names in a folder.
std::optional<uint64_t> count_entries(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(folder.c_str()), &closedir);
  if (!dir) return std::nullopt;
  uint64_t n = 0;
  while (const dirent* entry = readdir(dir.get())) {  // NOLINT(concurrency-mt-unsafe): own DIR
    if (entry->d_name[0] != '.' && ++n == kMostFilesWalked) break;
  }
  return n;
}

}  // namespace

bool parse_process_stat(std::string_view text, Usage& usage) {
  const size_t close = text.rfind(')');
  if (close == std::string_view::npos || !text.ends_with('\n')) return false;
  Words words(text.substr(close + 1, text.size() - close - 2));
  const std::string_view state = words.next();  // field 3
  if (state.size() != 1) return false;
  usage.ended = state == "Z" || state == "X";
  uint64_t parent = 0;
  const auto take = [&](uint64_t& value) {
    const auto number = words.number();
    if (number) value = *number;
    return number.has_value();
  };
  if (!take(parent)) return false;
  usage.parent = static_cast<pid_t>(parent);
  words.skip(5);  // group, session, terminal (may be negative), its group, flags
  using enum Usage::Field;
  for (uint64_t* value :
       {&usage.own[minor], &usage.children[minor], &usage.own[major], &usage.children[major],
        &usage.own[user], &usage.own[system], &usage.children[user], &usage.children[system]}) {
    if (!take(*value)) return false;
  }
  words.skip(2);  // priority, nice
  if (!take(usage.threads)) return false;
  words.skip(1);
  if (!take(usage.start_time)) return false;
  words.skip(1);  // virtual size
  return take(usage.resident_pages);
}

bool parse_process_io(std::string_view text, std::array<uint64_t, 2>& io) {
  const auto read = value_of(text, "read_bytes:");
  const auto written = value_of(text, "write_bytes:");
  if (!read || !written) return false;
  io = {*read, *written};
  return true;
}

std::optional<uint64_t> parse_open_files_limit(std::string_view text) {
  constexpr std::string_view kKey = "Max open files";
  Lines lines(text);
  while (const auto line = lines.next()) {
    if (line->starts_with(kKey)) return Words(line->substr(kKey.size())).number();
  }
  return std::nullopt;
}

uint64_t parse_swap(std::string_view text) {
  const uint64_t kilobytes = value_of(text, "VmSwap:").value_or(0);
  return kilobytes > UINT64_MAX / 1024 ? 0 : kilobytes * 1024;
}

Process::Process(const std::string& proc, pid_t pid)
    : folder_(proc + "/" + std::to_string(pid)), stat_(folder_ + "/stat"), io_(folder_ + "/io") {}

bool Process::read(Context& context, uint64_t start_time, bool keep_open) {
  const auto text = stat_.read(context.buffer);
  if (!text) {
    context.errors.count(Source::processes, text.error());
    return false;
  }
  if (text->empty()) return false;  // ended between open and read
  Usage now = usage_;
  if (!parse_process_stat(*text, now)) {
    context.errors.count(Source::processes);
    return false;
  }
  if (now.start_time != start_time) return false;
  const auto io = io_.read(context.buffer);
  if (!io) {
    context.errors.count(Source::processes, io.error());
  } else if (!parse_process_io(*io, now.io)) {
    context.errors.count(Source::processes);
  }
  usage_ = now;
  if (!keep_open) {
    stat_.close();
    io_.close();
  }
  return true;
}

void Process::read_rare(Context& context, bool swap) {
  // Read seldom: a descriptor kept for each would cost more than it saves.
  const auto read = [&](const char* name) {
    auto text = File(folder_ + name).read_once(context.buffer);
    if (!text) context.errors.count(Source::processes, text.error());
    return text;
  };
  if (const auto limits = read("/limits")) limit_ = parse_open_files_limit(*limits);
  if (const auto cgroup = read("/cgroup")) cgroup_ = *cgroup;
  auto network = network_namespace_of(folder_);
  if (!network) context.errors.count(Source::processes, network.error());
  network_ = network ? std::move(*network) : std::string();
  swap_ = 0;
  if (!swap) return;
  if (const auto status = read("/status")) swap_ = parse_swap(*status);
}

void Process::count_open_files(Context& context, bool walk) {
  const std::string folder = folder_ + "/fd";
  struct statfs system {};
  struct stat entry {};
  if (stat(folder.c_str(), &entry) != 0 || statfs(folder.c_str(), &system) != 0) {
    context.errors.count(Source::processes, Error{{}, {}, errno});
    return;
  }
  if (system.f_type == PROC_SUPER_MAGIC && entry.st_size > 0) {
    open_files_ = static_cast<uint64_t>(entry.st_size);
    return;
  }
  if (!walk) return;
  if (const auto n = count_entries(folder)) {
    open_files_ = *n;
  } else {
    context.errors.count(Source::processes, Error{{}, {}, errno});
  }
}

}  // namespace nz::resources
