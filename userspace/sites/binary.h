// One ELF file on disk: its functions, its code bytes, and the traits that decide which probes are
// safe in it. Every offset read from the file is checked against the file: a truncated or damaged
// binary is an Error, never a crash.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace nz::sites {

/// A function of a binary.
struct Symbol {
  std::string name;      ///< as in the symbol table (mangled), without "@VERSION"
  uint64_t address = 0;  ///< virtual address in the file's own numbering (before relocation)
  uint64_t offset = 0;   ///< offset in the file: what a uprobe is attached to
  uint64_t size = 0;     ///< bytes; 0 where the symbol table does not say (hand-written assembly)
  bool ifunc = false;    ///< STT_GNU_IFUNC: the address is of a resolver, not of the function
};

/// What the whole binary tells about the safety of probes. Where it cannot be told, the value is
/// the cautious one.
struct Traits {
  bool go = false;               ///< Go runtime: stacks are copied while functions run
  bool cxx_unwinder = false;     ///< exceptions (or Rust panics) may pass through its frames
  bool stack_switching = false;  ///< swapcontext, Boost fibers: the stack pointer changes stacks
  bool longjmp = false;          ///< returns may be skipped, by longjmp or siglongjmp
  bool static_exe = false;       ///< an executable without an interpreter
  bool pie = false;              ///< an executable that is position independent
  bool stripped = false;         ///< no .symtab, neither here nor in a separate debug file
};

struct BinaryOptions {
  /// Look for separate debug files (build id, .gnu_debuglink) when the file has no .symtab itself.
  bool debug_files = true;
  /// Where separate debug files live.
  std::string debug_directory = "/usr/lib/debug";
};

/// An opened binary. The file is read with pread, not mapped: a mapping raises SIGBUS when a
/// package upgrade truncates the file in place. Movable, not copyable; const methods may run
/// concurrently.
class Binary {
 public:
  /// Opens and checks `path`. Errors: cannot be read, empty, not ELF, truncated, no section headers
  /// (packed, for instance by UPX), an object file or core dump, a machine other than x86-64.
  static Result<Binary> open(const std::string& path, const BinaryOptions& options = {});

  Binary(Binary&&) noexcept;
  Binary& operator=(Binary&&) noexcept;
  Binary(const Binary&) = delete;
  Binary& operator=(const Binary&) = delete;
  ~Binary();

  /// Functions that match `pattern`, ordered by address, one per address:
  ///  - a mangled name, exactly;
  ///  - a demangled name without parameter list (all overloads) or with it;
  ///  - a glob of * and ?, on mangled and on demangled names.
  /// Compiler-made pieces (name.cold, name.part.0, name.isra.0, ...) match only their exact mangled
  /// name or a glob: a piece is not the function. No match: the remedy names the nearest functions.
  [[nodiscard]] Result<std::vector<Symbol>> find(const std::string& pattern) const;

  /// The one function with exactly this mangled name, if there is one.
  [[nodiscard]] std::optional<Symbol> function(const std::string& name) const;
  /// The function that begins exactly at `address`.
  [[nodiscard]] std::optional<Symbol> function_at(uint64_t address) const;
  /// The function that holds `address`: the last to begin at or before it, unless its size says
  /// that it ends before.
  [[nodiscard]] std::optional<Symbol> function_around(uint64_t address) const;
  /// All names of the function at `address`, the preferred first: aliases, and different functions
  /// whose equal code the linker folded into one (ICF).
  [[nodiscard]] std::vector<std::string> names_at(uint64_t address) const;
  /// Address of the first function that begins after `address`.
  [[nodiscard]] std::optional<uint64_t> next_function(uint64_t address) const;
  /// Address of a data symbol (an object, as sqlite3_version is).
  [[nodiscard]] std::optional<uint64_t> data_symbol(const std::string& name) const;
  /// Number of distinct functions (aliases of one address count once).
  [[nodiscard]] size_t function_count() const;

  /// `size` bytes of the file's image at `address`. Errors: not in a loaded segment of the file.
  [[nodiscard]] Result<std::vector<uint8_t>> read(uint64_t address, uint64_t size) const;
  /// Up to `size` bytes: fewer at the end of the segment.
  [[nodiscard]] Result<std::vector<uint8_t>> read_some(uint64_t address, uint64_t size) const;
  /// A NUL-terminated string of at most `limit` bytes at `address`.
  [[nodiscard]] std::optional<std::string> read_string(uint64_t address, size_t limit) const;

  /// Offset in the file of a virtual address, through the program headers.
  [[nodiscard]] std::optional<uint64_t> file_offset(uint64_t address) const;
  /// Virtual address of an offset in the file, through the executable program headers.
  [[nodiscard]] std::optional<uint64_t> address_of_offset(uint64_t offset) const;
  /// Whether the address lies in an executable segment.
  [[nodiscard]] bool executable(uint64_t address) const;
  /// Whether the address lies in a procedure linkage table (.plt, .plt.sec, .plt.got).
  [[nodiscard]] bool in_plt(uint64_t address) const;
  /// End of the section or segment that holds `address`; 0 when none does.
  [[nodiscard]] uint64_t code_end(uint64_t address) const;

  [[nodiscard]] const Traits& traits() const;
  [[nodiscard]] const std::string& path() const;
  [[nodiscard]] const std::string& build_id()
      const;  ///< lower-case hex, empty if the file has none
  [[nodiscard]] const std::string& symbol_file() const;  ///< separate debug file in use, or empty
  [[nodiscard]] ino_t inode() const;
  [[nodiscard]] dev_t device() const;

 private:
  struct Impl;
  explicit Binary(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nz::sites
