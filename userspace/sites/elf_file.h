// Checked reading of one ELF file through libelf. Nothing beyond what Binary needs: segments,
// sections, the symbol tables, the dynamic section, notes. Offsets are checked against the file's
// size before libelf follows them.
#pragma once

#include <gelf.h>
#include <libelf.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace nz::sites {

struct Segment {
  uint64_t address = 0;
  uint64_t memory_size = 0;
  uint64_t offset = 0;
  uint64_t file_size = 0;
  bool executable = false;
};

struct Section {
  std::string name;
  uint64_t address = 0;
  uint64_t size = 0;
  uint64_t flags = 0;
  uint32_t type = 0;
  size_t index = 0;
};

struct DynamicInfo {
  std::vector<std::string> needed;
  bool soname = false;
  uint64_t flags_1 = 0;
  bool present = false;
};

class ElfFile {
 public:
  /// Errors name the path: not ELF, empty, truncated, other machine, no sections, not linked.
  static Result<ElfFile> open(const std::string& path);
  /// The same from memory; `path` stands for it in messages. There is no fd().
  static Result<ElfFile> from_memory(const std::string& path, std::vector<uint8_t> bytes);

  using SymbolVisitor = std::function<void(const GElf_Sym&, std::string_view name)>;
  /// Calls `visit` for each entry of each table of `type` (SHT_SYMTAB, SHT_DYNSYM); false when
  /// there is no such table. Entries with names outside the string table are skipped. Version
  /// suffixes are cut.
  bool for_each_symbol(uint32_t type, const SymbolVisitor& visit) const;

  [[nodiscard]] const Section* section(std::string_view name) const;
  [[nodiscard]] std::vector<uint8_t> section_bytes(const Section& section) const;
  [[nodiscard]] DynamicInfo dynamic() const;
  [[nodiscard]] std::string build_id() const;
  [[nodiscard]] bool has_interpreter() const { return interpreter_; }
  [[nodiscard]] uint16_t type() const { return type_; }
  [[nodiscard]] uint64_t size() const { return size_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }
  [[nodiscard]] const std::vector<Section>& sections() const { return sections_; }
  Fd release_fd();

 private:
  struct Close {
    void operator()(Elf* elf) const { elf_end(elf); }
  };
  Result<void> read_headers();

  std::string path_;
  Fd fd_;
  std::vector<uint8_t> memory_;
  std::unique_ptr<Elf, Close> elf_;
  uint64_t size_ = 0;
  uint16_t type_ = 0;
  bool interpreter_ = false;
  std::vector<Segment> segments_;
  std::vector<Section> sections_;
};

}  // namespace nz::sites
