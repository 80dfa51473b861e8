#include "userspace/sites/usdt.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "userspace/sites/elf_file.h"

namespace nz::sites {
namespace {

constexpr uint32_t kStapSdt = 3;  // n_type
constexpr char kOwner[] = "stapsdt";

// Reads forward through bytes that may lie.
class Cursor {
 public:
  Cursor(const uint8_t* at, size_t left) : at_(at), left_(left) {}
  bool take(void* out, size_t size) {
    if (size > left_) return false;
    std::memcpy(out, at_, size);
    skip(size);
    return true;
  }
  bool text(std::string& out) {
    const void* end = std::memchr(at_, 0, left_);
    if (end == nullptr) return false;
    out.assign(reinterpret_cast<const char*>(at_));
    skip(out.size() + 1);
    return true;
  }
  [[nodiscard]] std::optional<Cursor> part(size_t size) {
    if (size > left_) return std::nullopt;
    Cursor inner(at_, size);
    skip(std::min(left_, (size + 3) & ~size_t{3}));
    return inner;
  }
  [[nodiscard]] size_t left() const { return left_; }

 private:
  void skip(size_t size) { at_ += size, left_ -= size; }
  const uint8_t* at_;
  size_t left_;
};

std::optional<uint64_t> offset_of(const ElfFile& file, uint64_t address) {
  for (const Segment& s : file.segments()) {
    if (address >= s.address && address - s.address < s.file_size)
      return s.offset + (address - s.address);
  }
  return std::nullopt;
}

}  // namespace

std::vector<UsdtProbe> parse_usdt_notes(const std::vector<uint8_t>& section, uint64_t base,
                                        std::vector<uint64_t>& semaphores) {
  std::vector<UsdtProbe> probes;
  Cursor notes(section.data(), section.size());
  Elf64_Nhdr header;
  while (notes.take(&header, sizeof(header))) {
    auto owner = notes.part(header.n_namesz);
    auto description = notes.part(header.n_descsz);
    if (!owner || !description) break;
    std::string name;
    if (header.n_type != kStapSdt || !owner->text(name) || name != kOwner) continue;
    struct {
      uint64_t pc, base, semaphore;
    } where{};
    UsdtProbe probe;
    if (!description->take(&where, sizeof(where)) || !description->text(probe.provider) ||
        !description->text(probe.name) || !description->text(probe.arguments)) {
      continue;
    }
    // Prelink moves code without touching notes; how far shows in where the base has gone.
    const uint64_t moved = base != 0 ? base - where.base : 0;
    probe.address = where.pc + moved;
    semaphores.push_back(where.semaphore == 0 ? 0 : where.semaphore + moved);
    probes.push_back(std::move(probe));
  }
  return probes;
}

Result<std::vector<UsdtProbe>> usdt_probes(const std::string& path) {
  Result<ElfFile> file = ElfFile::open(path);
  if (!file) return tl::unexpected(file.error());
  const Section* notes = file->section(".note.stapsdt");
  if (notes == nullptr) return std::vector<UsdtProbe>{};
  const Section* base = file->section(".stapsdt.base");
  std::vector<uint64_t> semaphores;
  std::vector<UsdtProbe> all = parse_usdt_notes(file->section_bytes(*notes),
                                                base != nullptr ? base->address : 0, semaphores);
  std::vector<UsdtProbe> found;
  for (size_t i = 0; i < all.size(); i++) {
    const auto offset = offset_of(*file, all[i].address);
    if (!offset) continue;
    all[i].offset = *offset;
    all[i].semaphore_offset = semaphores[i] == 0 ? 0 : offset_of(*file, semaphores[i]).value_or(0);
    found.push_back(std::move(all[i]));
  }
  return found;
}

}  // namespace nz::sites
