#include "userspace/sites/sqlite_offsets.h"

#include <bit>

#include "userspace/sites/field_reads.h"

namespace nz::sites {
namespace {

// The accessors have 10 to 60 bytes at -O2 and under 300 at -O0 with checks; a larger one is
// another function.
constexpr uint64_t kAccessorLimit = 512;
// Vdbe, sqlite3, Pager and BtShared are below 2 KiB each.
constexpr int64_t kLargestOffset = 4096;

struct Accessor {
  std::optional<FieldReads> fields;
  std::string why_not;
  uint64_t address = 0;
};

Accessor accessor(const Binary& binary, const std::string& name) {
  const std::optional<Symbol> symbol = binary.function(name);
  if (!symbol) return {std::nullopt, "no symbol " + name, 0};
  if (symbol->size == 0 || symbol->size > kAccessorLimit)
    return {std::nullopt, name + " is not the small function that was expected", 0};
  const auto code = binary.read(symbol->address, symbol->size);
  if (!code) return {std::nullopt, code.error().what, 0};
  FieldReads fields = read_fields(*code);
  if (!fields.decoded) return {std::nullopt, name + " cannot be decoded", 0};
  return {std::move(fields), {}, symbol->address};
}

bool sane(int64_t offset) { return offset >= 0 && offset < kLargestOffset; }

bool sane(const FieldPath& path, size_t length) {
  if (path.size() != length) return false;
  for (int64_t offset : path)
    if (!sane(offset)) return false;
  return true;
}

/// Offset of the pointer field that `name` returns.
Derived<uint32_t> returned_pointer(const Binary& binary, const std::string& name) {
  const Accessor a = accessor(binary, name);
  if (!a.fields) return {std::nullopt, a.why_not};
  if (!a.fields->returned || !sane(*a.fields->returned, 1))
    return {std::nullopt, name + " does not return a field of its argument"};
  for (const FieldAccess& access : a.fields->accesses)
    if (access.kind == AccessKind::load && access.path == *a.fields->returned && access.width == 8)
      return {static_cast<uint32_t>(a.fields->returned->front()), {}};
  return {std::nullopt, name + " returns something that is not a pointer"};
}

/// Offset of the only field that `name` uses with `kind` and `constant`, `width` bytes wide.
Derived<uint32_t> constant_access(const Binary& binary, const std::string& name, AccessKind kind,
                                  int64_t constant, uint8_t width) {
  const Accessor a = accessor(binary, name);
  if (!a.fields) return {std::nullopt, a.why_not};
  std::optional<uint32_t> found;
  for (const FieldAccess& access : a.fields->accesses) {
    if (access.kind != kind || access.constant != constant || access.width != width) continue;
    if (!sane(access.path, 1) || (found && *found != static_cast<uint32_t>(access.path.front())))
      return {std::nullopt, name + " uses more than one field in that way"};
    found = static_cast<uint32_t>(access.path.front());
  }
  if (!found) return {std::nullopt, name + " does not have the expected form"};
  return {found, {}};
}

Derived<BitOffset> read_only_bit(const Binary& binary) {
  const std::string name = "sqlite3_stmt_readonly";
  const Accessor a = accessor(binary, name);
  if (!a.fields) return {std::nullopt, a.why_not};
  for (const FieldAccess& access : a.fields->accesses) {
    if (access.kind != AccessKind::test_constant || !sane(access.path, 1)) continue;
    const auto mask = static_cast<uint64_t>(access.constant);
    if (access.constant <= 0 || !std::has_single_bit(mask)) continue;
    const int bit = std::countr_zero(mask);
    return {BitOffset{static_cast<uint32_t>(access.path.front() + bit / 8),
                      static_cast<uint8_t>(1u << (bit % 8))},
            {}};
  }
  return {std::nullopt, name + " does not test one bit of its argument"};
}

Derived<FileNameChain> file_name_chain(const Binary& binary) {
  // db->aDb->pBt, as sqlite3DbNameToBtree ends.
  const Accessor name_to_btree = accessor(binary, "sqlite3DbNameToBtree");
  if (!name_to_btree.fields) return {std::nullopt, name_to_btree.why_not};
  std::optional<FieldPath> btree;
  for (const FieldAccess& access : name_to_btree.fields->accesses)
    if (access.kind == AccessKind::load && access.width == 8 && sane(access.path, 2))
      btree = access.path;
  if (!btree) return {std::nullopt, "sqlite3DbNameToBtree does not read db->aDb->pBt"};

  // pBt->pPager, as sqlite3BtreePager returns.
  const Accessor pager = accessor(binary, "sqlite3BtreePager");
  if (!pager.fields) return {std::nullopt, pager.why_not};
  if (!pager.fields->returned || !sane(*pager.fields->returned, 2))
    return {std::nullopt, "sqlite3BtreePager does not return btree->pBt->pPager"};

  const Derived<uint32_t> file = returned_pointer(binary, "sqlite3PagerFilename");
  if (!file.value) return {std::nullopt, file.why_not};
  FileNameChain chain;
  chain.db_list = static_cast<uint32_t>((*btree)[0]);
  chain.btree = static_cast<uint32_t>((*btree)[1]);
  chain.shared = static_cast<uint32_t>((*pager.fields->returned)[0]);
  chain.pager = static_cast<uint32_t>((*pager.fields->returned)[1]);
  chain.file_name = *file.value;
  return {chain, {}};
}

Derived<std::string> version(const Binary& binary) {
  // "3.40.1"; sqlite3_version is the array itself, sqlite3_libversion returns its address.
  std::optional<uint64_t> address = binary.data_symbol("sqlite3_version");
  if (!address) {
    const Accessor a = accessor(binary, "sqlite3_libversion");
    if (!a.fields) return {std::nullopt, a.why_not};
    if (a.fields->lea_rip) address = a.address + *a.fields->lea_rip;
  }
  if (!address) return {std::nullopt, "sqlite3_libversion does not show where its string is"};
  std::optional<std::string> text = binary.read_string(*address, 32);
  if (!text || !text->starts_with("3.")) return {std::nullopt, "no version string where expected"};
  return {std::move(text), {}};
}

}  // namespace

SqliteOffsets derive_sqlite_offsets(const Binary& binary) {
  SqliteOffsets offsets;
  offsets.sql = returned_pointer(binary, "sqlite3_sql");
  offsets.db = returned_pointer(binary, "sqlite3_db_handle");
  // VDBE_RUN_STATE is 2 since 3.39; before, the state was a 32-bit magic number.
  offsets.vdbe_state =
      constant_access(binary, "sqlite3_stmt_busy", AccessKind::compare_constant, 2, 1);
  offsets.rc = constant_access(binary, "sqlite3VdbeResetStepResult", AccessKind::store_constant,
                               0 /* SQLITE_OK */, 4);
  offsets.read_only = read_only_bit(binary);
  offsets.file_name = file_name_chain(binary);
  offsets.version = version(binary);
  return offsets;
}

}  // namespace nz::sites
