#include "userspace/sites/symbol_tables.h"

#include <unistd.h>

#include "userspace/sites/debug_file.h"
#include "userspace/sites/go_symbols.h"

namespace nz::sites {
namespace {

/// The separate debug file that belongs to `file`, or nothing. Its code bytes are never used.
Result<ElfFile> open_debug_file(const ElfFile& file, const std::string& path,
                                const std::string& build_id, const std::string& directory) {
  const std::string by_id = build_id_path(directory, build_id);
  if (!by_id.empty() && access(by_id.c_str(), R_OK) == 0) {
    Result<ElfFile> debug = ElfFile::open(by_id);
    if (debug && debug->build_id() == build_id) return debug;
  }
  if (const Section* section = file.section(".gnu_debuglink")) {
    const DebugLink link = parse_debug_link(file.section_bytes(*section));
    if (!link.name.empty()) {
      for (const std::string& place : debug_link_paths(directory, path, link.name)) {
        // The checksum costs a pass over the file; a build id answers the same question for free.
        if (access(place.c_str(), R_OK) != 0) continue;
        Result<ElfFile> debug = ElfFile::open(place);
        if (!debug) continue;
        const std::string id = debug->build_id();
        if (!build_id.empty() && !id.empty() ? id == build_id : file_has_crc(place, link.crc))
          return debug;
      }
    }
  }
  // Fedora's MiniDebugInfo: the function symbols alone, compressed, inside the binary itself.
  if (const Section* section = file.section(".gnu_debugdata")) {
    auto bytes = unpack_xz(file.section_bytes(*section));
    if (!bytes.empty()) return ElfFile::from_memory(path + "[.gnu_debugdata]", std::move(bytes));
  }
  return fail("no separate debug file");
}

/// Whether the file is a Go binary that still has the table of its runtime.
template <class Visit>
bool add_go_functions(const ElfFile& file, const Visit& visit) {
  const Section* table = file.section(".gopclntab");
  if (table == nullptr) table = file.section(".data.rel.ro.gopclntab");
  const Section* text = file.section(".text");
  if (table == nullptr || text == nullptr) return false;
  const auto functions = parse_go_functions(file.section_bytes(*table), text->address);
  for (const GoFunction& f : functions) {
    GElf_Sym symbol{};
    symbol.st_info = GELF_ST_INFO(STB_LOCAL, STT_FUNC);
    symbol.st_shndx = static_cast<GElf_Section>(text->index);
    symbol.st_value = f.address;
    symbol.st_size = f.size;
    visit(symbol, f.name);
  }
  return !functions.empty();
}

}  // namespace

bool visit_symbols(const ElfFile& file, const std::string& path, const std::string& build_id,
                   const std::string& debug_directory, const ElfFile::SymbolVisitor& visit,
                   std::string* symbol_file) {
  file.for_each_symbol(SHT_DYNSYM, visit);
  if (file.for_each_symbol(SHT_SYMTAB, visit)) return true;
  if (!debug_directory.empty()) {
    if (Result<ElfFile> debug = open_debug_file(file, path, build_id, debug_directory)) {
      if (debug->for_each_symbol(SHT_SYMTAB, visit)) {
        if (symbol_file != nullptr) *symbol_file = debug->path();
        return true;
      }
    }
  }
  return add_go_functions(file, visit);
}

}  // namespace nz::sites
