// Every symbol that is known of a file, wherever its tables are.
#pragma once

#include <string>

#include "userspace/sites/elf_file.h"

namespace nz::sites {

/// Calls `visit` for each symbol of `file`: its .dynsym, then its .symtab, or that of a separate
/// debug file below `debug_directory` (empty: none is looked for), or the table of Go's runtime.
/// Symbols may come twice. Returns whether there is more than the .dynsym; `symbol_file` becomes
/// the path of a separate debug file in use.
bool visit_symbols(const ElfFile& file, const std::string& path, const std::string& build_id,
                   const std::string& debug_directory, const ElfFile::SymbolVisitor& visit,
                   std::string* symbol_file = nullptr);

}  // namespace nz::sites
