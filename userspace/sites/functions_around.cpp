#include "userspace/sites/functions_around.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <tuple>

#include "userspace/sites/elf_file.h"
#include "userspace/sites/frame_table.h"
#include "userspace/sites/symbol_match.h"
#include "userspace/sites/symbol_tables.h"

namespace nz::sites {
namespace {

struct Best {
  uint64_t address = 0, size = 0;
  bool global = false;
  std::string name;  // empty: none yet
};

// As Binary sorts the names of one address.
bool preferred(bool global, std::string_view name, const Best& than) {
  const auto underscores = [](std::string_view n) { return n.find_first_not_of('_'); };
  if (global != than.global) return global;
  if (underscores(name) != underscores(than.name))
    return underscores(name) < underscores(than.name);
  if (name.size() != than.name.size()) return name.size() < than.name.size();
  return name < than.name;
}

const Segment* code_at_offset(const ElfFile& file, uint64_t offset) {
  for (const Segment& s : file.segments())
    if (s.executable && offset >= s.offset && offset - s.offset < s.file_size) return &s;
  return nullptr;
}

bool is_code(const ElfFile& file, uint64_t address) {
  return std::any_of(file.segments().begin(), file.segments().end(), [&](const Segment& s) {
    return s.executable && address >= s.address && address - s.address < s.file_size;
  });
}

// The best symbol for each of `addresses`, which are sorted.
std::vector<Best> best_symbols(const ElfFile& file, const std::string& path,
                               const std::string& debug_directory,
                               const std::vector<uint64_t>& addresses) {
  std::vector<Best> best(addresses.size());
  const auto visit = [&](const GElf_Sym& symbol, std::string_view name) {
    const int type = GELF_ST_TYPE(symbol.st_info);
    if (type != STT_FUNC && type != STT_GNU_IFUNC) return;
    if (symbol.st_shndx == SHN_UNDEF || !is_code(file, symbol.st_value)) return;
    const bool global = GELF_ST_BIND(symbol.st_info) != STB_LOCAL;
    auto i = static_cast<size_t>(
        std::lower_bound(addresses.begin(), addresses.end(), symbol.st_value) - addresses.begin());
    // What is best so far begins the later, the higher the address: the first that is better off
    // ends it.
    for (; i < addresses.size(); i++) {
      Best& b = best[i];
      if (!b.name.empty() && b.address > symbol.st_value) break;
      if (!b.name.empty() && b.address == symbol.st_value && !preferred(global, name, b)) continue;
      b = {symbol.st_value, symbol.st_size, global, std::string(name)};
    }
  };
  visit_symbols(file, path, file.build_id(), debug_directory, visit);
  return best;
}

}  // namespace

Result<std::vector<FunctionRange>> functions_around(const std::string& path,
                                                    const std::vector<uint64_t>& offsets,
                                                    const std::string& debug_directory) {
  Result<ElfFile> opened = ElfFile::open(path);
  if (!opened) return tl::unexpected(opened.error());
  const ElfFile& file = *opened;
  std::vector<FunctionRange> result(offsets.size());
  std::vector<size_t> order;  // of those that are code, by address
  for (size_t i = 0; i < offsets.size(); i++) {
    const Segment* segment = code_at_offset(file, offsets[i]);
    const uint64_t address =
        segment != nullptr ? offsets[i] - segment->offset + segment->address : offsets[i];
    result[i] = {offsets[i], offsets[i] + 1, address, {}};
    if (segment != nullptr) order.push_back(i);
  }
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return result[a].address < result[b].address; });
  std::vector<uint64_t> addresses;
  addresses.reserve(order.size());
  for (const size_t i : order) addresses.push_back(result[i].address);

  const std::vector<Best> best = best_symbols(file, path, debug_directory, addresses);
  std::vector<uint8_t> frames;
  const Section* section = file.section(".eh_frame_hdr");
  for (size_t k = 0; k < order.size(); k++) {
    FunctionRange& r = result[order[k]];
    const Best& b = best[k];
    const uint64_t address = addresses[k];
    uint64_t begin = address, end = address + 1;
    if (!b.name.empty() && (b.size == 0 || address - b.address < b.size)) {
      begin = b.address;
      if (b.size != 0) end = b.address + b.size;
      r.name = b.name.starts_with("_") ? without_parameters(demangle(b.name)) : b.name;
    } else if (section != nullptr) {
      if (frames.empty()) frames = file.section_bytes(*section);
      if (const auto around = frame_around(frames, section->address, address))
        std::tie(begin, end) = *around;
      // The padding behind a function is none of it, and no function either.
      if (!b.name.empty()) begin = std::max(begin, b.address + b.size);
    }
    const uint64_t offset = offsets[order[k]];
    r.address = begin;
    r.begin = offset - std::min(offset, address - begin);
    r.end = offset + (end - address);
  }
  return result;
}

}  // namespace nz::sites
