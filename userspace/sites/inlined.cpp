#include "userspace/sites/inlined.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>

#include "userspace/base/fd.h"
#include "userspace/sites/symbol_match.h"

namespace nz::sites {
namespace {

constexpr size_t kShown = 5;

using Clock = std::chrono::steady_clock;

struct Search {
  std::string name;
  bool mangled = false;
  Clock::time_point end;
  InlinedCopies found;
};

std::string base_name(const char* path) {
  const std::string text = path;
  return text.substr(text.rfind('/') + 1);
}

// The mangled name of a function's entry, or its plain one. Attributes may stand in the
// declaration.
std::string linkage_name(Dwarf_Die* die) {
  Dwarf_Attribute attribute;
  for (const unsigned kind : {DW_AT_linkage_name, DW_AT_MIPS_linkage_name, DW_AT_name}) {
    if (dwarf_attr_integrate(die, kind, &attribute) == nullptr) continue;
    if (const char* text = dwarf_formstring(&attribute)) return text;
  }
  return {};
}

bool is_wanted(const Search& search, Dwarf_Die* function) {
  const std::string name = linkage_name(function);
  if (search.mangled || !name.starts_with("_Z")) return name == search.name;
  return without_parameters(demangle(name)) == search.name;
}

// The function around an inlined copy.
std::string caller_of(Dwarf_Die* copy) {
  Dwarf_Die* scopes = nullptr;
  const int count = dwarf_getscopes_die(copy, &scopes);
  std::string name;
  for (int i = 1; i < count && name.empty(); i++) {
    const int tag = dwarf_tag(&scopes[i]);
    if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine) {
      name = linkage_name(&scopes[i]);
      if (name.starts_with("_Z")) name = without_parameters(demangle(name));
    }
  }
  std::free(scopes);
  return name;
}

int on_copy(Dwarf_Die* copy, void* argument) {
  auto& search = *static_cast<Search*>(argument);
  search.found.copies++;
  if (search.found.where.size() >= kShown) return DWARF_CB_OK;
  std::string place;
  Dwarf_Attribute attribute;
  Dwarf_Word file = 0;
  Dwarf_Word line = 0;
  Dwarf_Die unit;
  Dwarf_Files* files = nullptr;
  size_t count = 0;
  if (dwarf_attr(copy, DW_AT_call_file, &attribute) != nullptr &&
      dwarf_formudata(&attribute, &file) == 0 &&
      dwarf_attr(copy, DW_AT_call_line, &attribute) != nullptr &&
      dwarf_formudata(&attribute, &line) == 0 && dwarf_diecu(copy, &unit, nullptr, nullptr) &&
      dwarf_getsrcfiles(&unit, &files, &count) == 0 && file < count) {
    const char* path = dwarf_filesrc(files, file, nullptr, nullptr);
    if (path != nullptr) place = fmt::format("{}:{}", base_name(path), line);
  }
  const std::string caller = caller_of(copy);
  if (!caller.empty()) place += (place.empty() ? "in " : " in ") + caller;
  search.found.where.push_back(place.empty() ? "at an unknown place" : place);
  return DWARF_CB_OK;
}

int on_function(Dwarf_Die* function, void* argument) {
  auto& search = *static_cast<Search*>(argument);
  if (dwarf_func_inline(function) != 0 && is_wanted(search, function))
    dwarf_func_inline_instances(function, on_copy, &search);
  return DWARF_CB_OK;
}

}  // namespace

InlinedCopies find_inlined(const Binary& binary, const std::string& name,
                           std::chrono::milliseconds limit) {
  Search search{name, name.starts_with("_Z"), Clock::now() + limit, {}};
  Fd fd(::open(binary.symbol_file().c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) fd.reset(::open(binary.path().c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return search.found;
  const auto end = [](Dwarf* dwarf) { dwarf_end(dwarf); };
  const std::unique_ptr<Dwarf, decltype(end)> dwarf(dwarf_begin(fd.get(), DWARF_C_READ), end);
  if (!dwarf) return search.found;

  Dwarf_CU* unit = nullptr;
  Dwarf_Die die;
  uint8_t kind = 0;
  while (dwarf_get_units(dwarf.get(), unit, &unit, nullptr, &kind, &die, nullptr) == 0) {
    if (kind != DW_UT_compile) continue;
    search.found.debug_info = true;
    if (Clock::now() > search.end) {
      search.found.complete = false;
      break;
    }
    dwarf_getfuncs(&die, on_function, &search, 0);
  }
  return search.found;
}

}  // namespace nz::sites
