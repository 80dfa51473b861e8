#include "probes/profile/names.h"

#include <fmt/format.h>

#include <algorithm>

namespace nz::probes::profile {

Names::Names(const Limits& limits) : limits_(limits) {
  functions_.push_back({"[other]", ""});
  files_.push_back({"", "[kernel]", "", {}, {}, {}, false, 0});
}

FunctionId Names::intern(const std::string& name, const std::string& module) {
  std::string key = module;
  key.push_back('\0');
  key += name;
  const auto known = ids_.find(key);
  if (known != ids_.end()) return known->second;
  if (functions_.size() >= limits_.functions) return kOther;
  const auto id = static_cast<FunctionId>(functions_.size());
  functions_.push_back({name, module});
  ids_.emplace(std::move(key), id);
  return id;
}

uint32_t Names::file_of(const symbols::Region& region) {
  const auto known = file_ids_.find(region.file);
  if (known != file_ids_.end()) {
    files_[known->second].path = region.path;  // of a process that lives
    return known->second;
  }
  const auto number = static_cast<uint32_t>(files_.size());
  files_.push_back(
      {region.path, region.name, region.seen_by_process, region.file, {}, {}, false, 0});
  file_ids_.emplace(region.file, number);
  return number;
}

Names::Place Names::user(pid_t pid, uint64_t address) {
  if (stale_.erase(pid) != 0 && read_.insert(pid).second) maps_.read(pid);
  bool may_read = !read_.contains(pid);
  const bool might = may_read;
  const symbols::Region* region = maps_.find(pid, address, may_read);
  if (might && !may_read) read_.insert(pid);
  if (region == nullptr) return {kNamed, intern("[unknown]", "")};
  if (region->path.empty())
    return {kNamed,
            region->name.empty() ? intern("[anonymous]", "") : intern(region->name, region->name)};
  if (files_.size() >= limits_.files && !file_ids_.contains(region->file))
    return {kNamed, intern("[" + region->name + "]", region->name)};
  return {file_of(*region), region->in_file(address)};
}

std::optional<FunctionId> Names::function_of(const Place& place) {
  if (place.file == kNamed) return static_cast<FunctionId>(place.offset);
  File& file = files_[place.file];
  const auto after = file.ranges.upper_bound(place.offset);
  if (after != file.ranges.begin()) {
    const auto& [begin, range] = *std::prev(after);
    if (place.offset < range.end) return range.function;
  }
  // Whoever waits asks again.
  if (waiting_ < limits_.waiting && file.wanted.insert(place.offset).second) waiting_++;
  return std::nullopt;
}

void Names::take(const NameReader::Answer& answer, double now) {
  File& file = files_[answer.file];
  file.asked = false;
  file.not_before = now + answer.seconds * (1 / limits_.busy_share - 1);
  if (ranges_ > limits_.ranges) {
    for (File& f : files_) f.ranges.clear();
    ranges_ = 0;
  }
  for (size_t i = 0; i < answer.offsets.size(); i++) {
    const uint64_t offset = answer.offsets[i];
    sites::FunctionRange range{offset, offset + 1, offset, {}};
    if (i < answer.found.size()) range = answer.found[i];
    const std::string name = !range.name.empty() ? range.name
                             : answer.file == kKernel
                                 ? file.module  // it tells no addresses
                                 : fmt::format("[{}+{:#x}]", file.module, range.address);
    const auto [at, fresh] =
        file.ranges.insert_or_assign(range.begin, Range{range.end, intern(name, file.module)});
    if (fresh) ranges_++;
    waiting_ -= file.wanted.erase(offset);
  }
}

void Names::exchange(double now) {
  for (const NameReader::Answer& answer : reader_.take()) take(answer, now);
  size_t left = limits_.addresses;
  for (size_t k = 0; k < files_.size() && left > 0; k++) {
    const size_t number = (turn_ + k) % files_.size();
    File& file = files_[number];
    if (file.asked || file.wanted.empty() || now < file.not_before) continue;
    NameReader::Question question{
        static_cast<uint32_t>(number), file.path, file.fallback, file.id, {}};
    for (auto at = file.wanted.begin(); at != file.wanted.end() && left > 0; ++at, left--)
      question.offsets.push_back(*at);
    file.asked = true;
    reader_.ask(std::move(question));
  }
  turn_ = files_.empty() ? 0 : (turn_ + 1) % files_.size();
}

}  // namespace nz::probes::profile
