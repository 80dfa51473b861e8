#include "probes/sqlite/locate.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "userspace/base/fd.h"
#include "userspace/sites/entry_site.h"
#include "userspace/sites/field_reads.h"

namespace nz::probes {
namespace {

using sites::Binary;

constexpr const char* kLibrary = "libsqlite3.so.0";
constexpr std::array<const char*, 5> kLibraryFolders = {"/usr/lib/x86_64-linux-gnu/",
                                                        "/lib/x86_64-linux-gnu/", "/usr/local/lib/",
                                                        "/usr/lib64/", "/usr/lib/"};

struct Candidate {
  std::string path, shown;
  bool mapped = true;
};

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::vector<Candidate> candidates(pid_t pid, const std::string& library) {
  std::vector<Candidate> named;
  std::vector<Candidate> others;
  const std::string root = "/proc/" + std::to_string(pid) + "/root";
  for (const targets::Mapping& m : targets::executable_files(pid)) {
    const std::string name = file_name(m.path);
    const bool fits = library.empty()
                          ? name.starts_with("libsqlite3")
                          : m.path == library || name == library || name.starts_with(library + ".");
    // libc and the loader are in every process and large: they are not SQLite.
    const bool never = name.starts_with("libc.so") || name.starts_with("libc-") ||
                       name.starts_with("ld-linux") || name.starts_with("libm.so") ||
                       name.starts_with("libstdc++") || name.starts_with("libgcc_s");
    if (fits) {
      named.push_back({targets::openable_path(pid, m), m.path, true});
    } else if (!never) {
      others.push_back({targets::openable_path(pid, m), m.path, true});
    }
  }
  // Not loaded, or not yet: probes may wait in the file where the loader would find it.
  const auto add_file = [&](const std::string& path) {
    if (access((root + path).c_str(), R_OK) == 0) named.push_back({root + path, path, false});
  };
  if (library.starts_with('/')) {
    if (named.empty()) add_file(library);
    return named;
  }
  if (!library.empty() && !named.empty()) return named;
  if (library.empty()) named.insert(named.end(), others.begin(), others.end());
  for (const char* folder : kLibraryFolders)
    add_file(std::string(folder) + (library.empty() ? kLibrary : library));
  return named;
}

// A function that may get a return probe: SQLite is C, nothing unwinds through it.
void place(const Binary& binary, const char* name, uint8_t arguments, bool wants_return,
           bool shadow_stack, const sites::KernelTraits& kernel, std::vector<SqliteSite>& out,
           std::vector<std::string>& missing) {
  const auto symbol = binary.function(name);
  if (!symbol) {
    missing.push_back(std::string(name) + ": not in the symbol tables");
    return;
  }
  if (!wants_return) {
    sites::Need need;
    need.arguments = arguments;
    need.shadow_stack = shadow_stack;
    auto site = sites::choose_entry(binary, *symbol, need, kernel);
    if (site) {
      out.push_back({name, site->offset, site->expected == sites::Cost::single_step});
    } else {
      missing.push_back(std::string(name) + ": " + site.error().text());
    }
    return;
  }
  sites::ReturnPolicy policy;
  policy.nothrow = true;
  policy.arguments = arguments;
  policy.shadow_stack = shadow_stack;
  auto plan = sites::choose_return(binary, *symbol, policy, kernel);
  const sites::ReturnProbe* probe = plan ? std::get_if<sites::ReturnProbe>(&plan->how) : nullptr;
  if (probe != nullptr) {
    out.push_back({name, probe->entry.offset, probe->entry.expected == sites::Cost::single_step});
  } else {
    missing.push_back(std::string(name) + ": " + (plan ? plan->why : plan.error().text()));
  }
}

std::optional<SqliteSite> first_of(const std::vector<SqliteSite>& sites) {
  return sites.empty() ? std::nullopt : std::optional(sites.front());
}

// From `return p ? p->inTrans : 0;`, 3.33 and later.
std::optional<uint32_t> derive_in_trans(const Binary& binary) {
  const auto symbol = binary.function("sqlite3BtreeTxnState");
  if (!symbol || symbol->size == 0 || symbol->size > 128) return std::nullopt;
  const auto code = binary.read(symbol->address, symbol->size);
  if (!code) return std::nullopt;
  const sites::FieldReads fields = sites::read_fields(*code);
  std::optional<uint32_t> offset;
  for (const sites::FieldAccess& access : fields.accesses) {
    if (access.kind != sites::AccessKind::load || access.width != 1) continue;
    if (offset || access.path.size() != 1 || access.path[0] < 0 || access.path[0] > 255)
      return std::nullopt;
    offset = static_cast<uint32_t>(access.path[0]);
  }
  return offset;
}

SqliteBinary inspect(const Binary& binary, const Candidate& candidate, bool shadow_stack,
                     const sites::KernelTraits& kernel) {
  SqliteBinary found;
  found.path = candidate.path;
  found.shown = candidate.shown;
  found.mapped = candidate.mapped;
  found.device = binary.device();
  found.inode = binary.inode();
  found.offsets = sites::derive_sqlite_offsets(binary);
  found.in_trans = derive_in_trans(binary);
  const auto at = [&](const char* name, uint8_t arguments, bool wants_return) {
    std::vector<SqliteSite> sites;
    place(binary, name, arguments, wants_return, shadow_stack, kernel, sites, found.missing);
    return sites;
  };
  found.step = first_of(at("sqlite3_step", sites::kRdi, true));
  found.begin = first_of(at("sqlite3BtreeBeginTrans", sites::kRdi | sites::kRsi, false));
  found.halt = first_of(at("sqlite3VdbeHalt", sites::kRdi, true));
  found.compile = first_of(at("sqlite3RunParser", 0, true));
  found.busy = at("sqlite3InvokeBusyHandler", 0, true);
  found.sync = at("sqlite3OsSync", 0, true);
  found.checkpoint = at("sqlite3WalCheckpoint", 0, true);
  for (const char* name : {"sqlite3_open", "sqlite3_open_v2", "sqlite3_open16"}) {
    const auto sites = at(name, 0, false);
    found.open.insert(found.open.end(), sites.begin(), sites.end());
  }
  for (const char* name : {"sqlite3_close", "sqlite3_close_v2"}) {
    const auto sites = at(name, sites::kRdi, false);
    found.close.insert(found.close.end(), sites.begin(), sites.end());
  }
  if (!found.offsets.vdbe_state.value)
    found.missing.push_back("Vdbe.eVdbeState: " + found.offsets.vdbe_state.why_not);
  if (!found.offsets.sql.value) found.missing.push_back("Vdbe.zSql: " + found.offsets.sql.why_not);
  return found;
}

}  // namespace

Result<SqliteBinary> locate_sqlite(pid_t pid, const std::string& library,
                                   const sites::KernelTraits& kernel) {
  const bool shadow_stack = sites::user_shadow_stack_active(pid);
  std::string seen;
  for (const Candidate& candidate : candidates(pid, library)) {
    auto binary = Binary::open(candidate.path);
    if (!binary) {
      seen += "; " + candidate.shown + ": " + binary.error().what;
      continue;
    }
    if (!binary->function("sqlite3_step")) {
      if (!library.empty() || file_name(candidate.shown).starts_with("libsqlite3")) {
        seen += "; " + candidate.shown + ": has no symbol sqlite3_step" +
                (binary->traits().stripped ? " (stripped)" : "");
      }
      continue;
    }
    return inspect(*binary, candidate, shadow_stack, kernel);
  }
  return fail(
      "no SQLite with symbols in process " + std::to_string(pid) + seen,
      "install its debug symbols, or name the file that contains it: sqlite: {library: PATH}");
}

// In two pieces: whoever contains the whole contains SQLite (`nearzero list sqlite`), and we do
// not.
std::string sqlite_magic() { return std::string("SQLite ") + std::string("format 3\0", 9); }

std::vector<std::string> open_databases(pid_t pid) {
  const std::string magic = sqlite_magic();
  const std::string base = "/proc/" + std::to_string(pid) + "/fd";
  std::vector<std::string> found;
  DIR* dir = opendir(base.c_str());
  if (dir == nullptr) return found;
  while (const dirent* entry = readdir(dir)) {  // NOLINT(concurrency-mt-unsafe): own DIR
    const std::string path = base + "/" + entry->d_name;
    struct stat info {};
    if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < 512) continue;
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    std::array<char, 16> begin{};
    if (fd.valid() && pread(fd.get(), begin.data(), begin.size(), 0) == 16 &&
        magic.compare(0, 16, begin.data(), 16) == 0) {
      std::error_code gone;
      found.push_back(std::filesystem::read_symlink(path, gone).string());
    }
  }
  closedir(dir);
  return found;
}

}  // namespace nz::probes
