#include "userspace/sites/binary.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <numeric>
#include <string_view>

#include "userspace/sites/elf_file.h"
#include "userspace/sites/symbol_match.h"
#include "userspace/sites/symbol_tables.h"

namespace nz::sites {
namespace {

// Most code that is ever read at once: the body of one function. The largest of Node.js has 0.4 MB.
constexpr uint64_t kMaxRead = 16 << 20;

/// A function in 24 bytes; names are in one pool. Node.js has 170,000 of them: 4 MB and 12 MB of
/// names.
struct Function {
  uint64_t address = 0;
  uint32_t size = 0;
  uint32_t name = 0;
  bool ifunc = false;
  bool global = false;
};

template <size_t N>
bool one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::array<std::string_view, 6> kUnwinder = {
    "__gxx_personality_v0",   "_Unwind_Resume",      "__cxa_throw",
    "_Unwind_RaiseException", "rust_eh_personality", "_Unwind_ForcedUnwind"};
constexpr std::array<std::string_view, 5> kLongjmp = {"longjmp", "_longjmp", "siglongjmp",
                                                      "__longjmp_chk", "__libc_siglongjmp"};
constexpr std::array<std::string_view, 3> kContexts = {"swapcontext", "makecontext", "setcontext"};
// Boost.Context's assembly, libcoro, libco, GCC's split stacks: theirs even when linked statically.
constexpr std::array<std::string_view, 6> kFibers = {"jump_fcontext",  "make_fcontext",
                                                     "ontop_fcontext", "coro_transfer",
                                                     "co_switch",      "__morestack"};

}  // namespace

struct Binary::Impl {
  std::string path;
  Fd fd;
  std::vector<Segment> segments;
  std::vector<Section> sections;
  std::vector<Function> functions;  ///< by address; the preferred name of an address comes first
  std::string names;                ///< NUL-terminated names
  std::vector<uint32_t> by_name;    ///< indices into `functions`, sorted by name, then address
  size_t distinct = 0;
  Traits traits;
  std::string build_id;
  std::string symbol_file;
  ino_t inode = 0;
  dev_t device = 0;

  [[nodiscard]] std::string name(const Function& f) const { return names.c_str() + f.name; }

  [[nodiscard]] const Segment* segment(uint64_t address) const {
    for (const Segment& s : segments)
      if (address >= s.address && address - s.address < s.memory_size) return &s;
    return nullptr;
  }

  [[nodiscard]] std::optional<uint64_t> offset(uint64_t address) const {
    const Segment* s = segment(address);
    if (s == nullptr || address - s->address >= s->file_size) return std::nullopt;
    return s->offset + (address - s->address);
  }

  void add(const GElf_Sym& symbol, std::string_view name) {
    const int type = GELF_ST_TYPE(symbol.st_info);
    if (type != STT_FUNC && type != STT_GNU_IFUNC) return;
    // Undefined symbols with a value are the PLT entries of position-dependent executables.
    if (symbol.st_shndx == SHN_UNDEF || !offset(symbol.st_value)) return;
    if (names.size() + name.size() + 1 > UINT32_MAX) return;
    Function f;
    f.address = symbol.st_value;
    f.size = static_cast<uint32_t>(std::min<uint64_t>(symbol.st_size, UINT32_MAX));
    f.name = static_cast<uint32_t>(names.size());
    f.ifunc = type == STT_GNU_IFUNC;
    f.global = GELF_ST_BIND(symbol.st_info) != STB_LOCAL;
    names.append(name);
    names.push_back('\0');
    functions.push_back(f);
  }

  /// Sorts by address and drops what both .symtab and .dynsym list.
  void finish() {
    auto view = [this](const Function& f) { return std::string_view(names.c_str() + f.name); };
    auto underscores = [&](const Function& f) { return view(f).find_first_not_of('_'); };
    std::sort(functions.begin(), functions.end(), [&](const Function& a, const Function& b) {
      if (a.address != b.address) return a.address < b.address;
      if (a.global != b.global) return a.global;
      if (underscores(a) != underscores(b)) return underscores(a) < underscores(b);
      if (view(a).size() != view(b).size()) return view(a).size() < view(b).size();
      if (view(a) != view(b)) return view(a) < view(b);
      return a.size > b.size;
    });
    functions.erase(std::unique(functions.begin(), functions.end(),
                                [&](const Function& a, const Function& b) {
                                  return a.address == b.address && view(a) == view(b);
                                }),
                    functions.end());
    functions.shrink_to_fit();
    names.shrink_to_fit();
    for (size_t i = 0; i < functions.size(); ++i)
      if (i == 0 || functions[i].address != functions[i - 1].address) ++distinct;
    // Each choice of a site looks up name.cold: a scan of 170,000 names every time would take a
    // second.
    by_name.resize(functions.size());
    std::iota(by_name.begin(), by_name.end(), 0u);
    std::sort(by_name.begin(), by_name.end(), [&](uint32_t a, uint32_t b) {
      const int order = view(functions[a]).compare(view(functions[b]));
      return order != 0 ? order < 0 : a < b;
    });
  }

  [[nodiscard]] Symbol symbol(const Function& f) const {
    return {name(f), f.address, offset(f.address).value_or(0), f.size, f.ifunc};
  }
};

Binary::Binary(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Binary::Binary(Binary&&) noexcept = default;
Binary& Binary::operator=(Binary&&) noexcept = default;
Binary::~Binary() = default;

Result<Binary> Binary::open(const std::string& path, const BinaryOptions& options) {
  Result<ElfFile> opened = ElfFile::open(path);
  if (!opened) return tl::unexpected(opened.error());
  ElfFile& file = *opened;
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->segments = file.segments();
  impl->sections = file.sections();
  for (const Segment& s : impl->segments)
    if (s.offset > file.size() || s.file_size > file.size() - s.offset)
      return fail(path + ": truncated ELF file: a loaded segment ends beyond the file",
                  "install the file again");
  impl->build_id = file.build_id();

  const DynamicInfo dynamic = file.dynamic();
  Traits& traits = impl->traits;
  const bool pie_flag = (dynamic.flags_1 & DF_1_PIE) != 0;
  const bool library =
      file.type() == ET_DYN && !pie_flag && (dynamic.soname || !file.has_interpreter());
  traits.static_exe = !library && !file.has_interpreter();
  traits.pie = !library && file.type() == ET_DYN;
  traits.go = file.section(".go.buildinfo") != nullptr ||
              file.section(".note.go.buildid") != nullptr || file.section(".gopclntab") != nullptr;
  // Language-specific data exist only for functions that take part in unwinding.
  traits.cxx_unwinder = file.section(".gcc_except_table") != nullptr;
  for (const std::string& needed : dynamic.needed)
    if (needed.starts_with("libstdc++.so") || needed.starts_with("libc++.so") ||
        needed.starts_with("libc++abi.so"))
      traits.cxx_unwinder = true;

  auto judge = [&](const GElf_Sym& symbol, std::string_view name) {
    // libc defines swapcontext for others; that an executable contains it means that it is used.
    const bool uses = symbol.st_shndx == SHN_UNDEF || traits.static_exe;
    if (one_of(name, kUnwinder)) traits.cxx_unwinder = true;
    if (one_of(name, kFibers)) traits.stack_switching = true;
    if (uses && one_of(name, kContexts)) traits.stack_switching = true;
    if (uses && one_of(name, kLongjmp)) traits.longjmp = true;
    if (name.starts_with("runtime.morestack")) traits.go = true;
  };
  auto visit = [&](const GElf_Sym& symbol, std::string_view name) {
    judge(symbol, name);
    impl->add(symbol, name);
  };
  traits.stripped =
      !visit_symbols(file, path, impl->build_id, options.debug_files ? options.debug_directory : "",
                     visit, &impl->symbol_file);
  impl->finish();

  struct stat status {};
  if (fstat(file.fd(), &status) != 0) return fail_errno("fstat " + path, errno);
  impl->inode = status.st_ino;
  impl->device = status.st_dev;
  impl->fd = file.release_fd();
  return Binary(std::move(impl));
}

Result<std::vector<Symbol>> Binary::find(const std::string& pattern) const {
  const Impl& impl = *impl_;
  if (pattern.empty()) return fail("empty function name");
  if (impl.functions.empty())
    return fail(impl.path + ": no function symbols" +
                    std::string(impl.traits.stripped ? ": the file is stripped" : ""),
                "install its debug symbols, or build it without strip");
  const SymbolPattern wanted(pattern);
  std::vector<Symbol> matched;
  auto collect = [&](auto&& accept) {
    for (const Function& f : impl.functions) {
      if (!accept(f)) continue;
      // Aliases (foo and __foo, identical code folding) are one place: one probe, or it counts
      // twice.
      if (!matched.empty() && matched.back().address == f.address) continue;
      matched.push_back(impl.symbol(f));
    }
  };
  collect([&](const Function& f) { return pattern == impl.names.c_str() + f.name; });
  if (!matched.empty()) return matched;
  collect([&](const Function& f) { return wanted.matches(impl.name(f), false); });
  if (matched.empty())
    collect([&](const Function& f) { return wanted.matches(impl.name(f), true); });
  if (!matched.empty()) return matched;

  NearestNames nearest(pattern);
  for (const Function& f : impl.functions) nearest.offer(impl.name(f));
  std::string remedy;
  for (const std::string& name : nearest.best())
    remedy += (remedy.empty() ? "did you mean " : ", ") + name;
  if (remedy.empty())
    remedy = impl.traits.stripped
                 ? "the file is stripped: only its exported functions are known; install its debug "
                   "symbols"
                 : "the compiler may have inlined it; a glob such as '*" + pattern + "*' searches";
  return fail(impl.path + ": no function '" + pattern + "'", remedy);
}

std::optional<Symbol> Binary::function(const std::string& name) const {
  const Impl& impl = *impl_;
  const auto at =
      std::lower_bound(impl.by_name.begin(), impl.by_name.end(), name,
                       [&](uint32_t index, const std::string& wanted) {
                         return wanted.compare(impl.names.c_str() + impl.functions[index].name) > 0;
                       });
  if (at == impl.by_name.end() || name != impl.names.c_str() + impl.functions[*at].name)
    return std::nullopt;
  return impl.symbol(impl.functions[*at]);
}

std::optional<Symbol> Binary::function_at(uint64_t address) const {
  const auto at = std::lower_bound(impl_->functions.begin(), impl_->functions.end(), address,
                                   [](const Function& f, uint64_t a) { return f.address < a; });
  if (at == impl_->functions.end() || at->address != address) return std::nullopt;
  return impl_->symbol(*at);
}

std::optional<Symbol> Binary::function_around(uint64_t address) const {
  const auto& functions = impl_->functions;
  auto after = std::upper_bound(functions.begin(), functions.end(), address,
                                [](uint64_t a, const Function& f) { return a < f.address; });
  if (after == functions.begin()) return std::nullopt;
  // Of the names of one address the preferred one comes first.
  const uint64_t begin = std::prev(after)->address;
  const auto at = std::lower_bound(functions.begin(), after, begin,
                                   [](const Function& f, uint64_t a) { return f.address < a; });
  if (at->size != 0 && address - begin >= at->size) return std::nullopt;
  return impl_->symbol(*at);
}

std::vector<std::string> Binary::names_at(uint64_t address) const {
  const auto& functions = impl_->functions;
  std::vector<std::string> names;
  auto at = std::lower_bound(functions.begin(), functions.end(), address,
                             [](const Function& f, uint64_t a) { return f.address < a; });
  for (; at != functions.end() && at->address == address; ++at) names.push_back(impl_->name(*at));
  return names;
}

std::optional<uint64_t> Binary::next_function(uint64_t address) const {
  const auto at = std::upper_bound(impl_->functions.begin(), impl_->functions.end(), address,
                                   [](uint64_t a, const Function& f) { return a < f.address; });
  if (at == impl_->functions.end()) return std::nullopt;
  return at->address;
}

std::optional<uint64_t> Binary::data_symbol(const std::string& name) const {
  // Data symbols are asked for once or twice a binary: read again rather than kept.
  for (const std::string& path : {impl_->path, impl_->symbol_file}) {
    if (path.empty()) continue;
    Result<ElfFile> file = ElfFile::open(path);
    if (!file) continue;
    std::optional<uint64_t> address;
    auto visit = [&](const GElf_Sym& symbol, std::string_view candidate) {
      if (candidate == name && symbol.st_shndx != SHN_UNDEF &&
          GELF_ST_TYPE(symbol.st_info) == STT_OBJECT)
        address = symbol.st_value;
    };
    file->for_each_symbol(SHT_DYNSYM, visit);
    if (!address) file->for_each_symbol(SHT_SYMTAB, visit);
    if (address) return address;
  }
  return std::nullopt;
}

size_t Binary::function_count() const { return impl_->distinct; }

Result<std::vector<uint8_t>> Binary::read_some(uint64_t address, uint64_t size) const {
  const Segment* segment = impl_->segment(address);
  if (segment == nullptr || address - segment->address >= segment->file_size)
    return fail(impl_->path + ": address " + std::to_string(address) + " is not in the file");
  const uint64_t into = address - segment->address;
  size = std::min({size, segment->file_size - into, kMaxRead});
  std::vector<uint8_t> bytes(size);
  size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t n = pread(impl_->fd.get(), bytes.data() + got, bytes.size() - got,
                            static_cast<off_t>(segment->offset + into + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("read " + impl_->path, errno);
    if (n == 0) break;  // the file shrank after it was opened
    got += static_cast<size_t>(n);
  }
  bytes.resize(got);
  return bytes;
}

Result<std::vector<uint8_t>> Binary::read(uint64_t address, uint64_t size) const {
  Result<std::vector<uint8_t>> bytes = read_some(address, size);
  if (bytes && bytes->size() != size)
    return fail(impl_->path + ": " + std::to_string(size) + " bytes at address " +
                std::to_string(address) + " reach beyond the file's segment");
  return bytes;
}

std::optional<std::string> Binary::read_string(uint64_t address, size_t limit) const {
  const Result<std::vector<uint8_t>> bytes = read_some(address, limit);
  if (!bytes) return std::nullopt;
  const auto end = std::find(bytes->begin(), bytes->end(), uint8_t{0});
  if (end == bytes->end()) return std::nullopt;
  return std::string(bytes->begin(), end);
}

std::optional<uint64_t> Binary::file_offset(uint64_t address) const {
  return impl_->offset(address);
}

std::optional<uint64_t> Binary::address_of_offset(uint64_t offset) const {
  for (const Segment& s : impl_->segments) {
    if (s.executable && offset >= s.offset && offset - s.offset < s.file_size)
      return s.address + (offset - s.offset);
  }
  return std::nullopt;
}

bool Binary::executable(uint64_t address) const {
  const Segment* segment = impl_->segment(address);
  return segment != nullptr && segment->executable;
}

bool Binary::in_plt(uint64_t address) const {
  for (const Section& s : impl_->sections)
    if ((s.name == ".plt" || s.name == ".plt.sec" || s.name == ".plt.got" || s.name == ".iplt") &&
        address >= s.address && address - s.address < s.size)
      return true;
  return false;
}

uint64_t Binary::code_end(uint64_t address) const {
  for (const Section& s : impl_->sections)
    if ((s.flags & SHF_EXECINSTR) != 0 && address >= s.address && address - s.address < s.size)
      return s.address + s.size;
  const Segment* segment = impl_->segment(address);
  return segment != nullptr ? segment->address + segment->file_size : 0;
}

const Traits& Binary::traits() const { return impl_->traits; }
const std::string& Binary::path() const { return impl_->path; }
const std::string& Binary::build_id() const { return impl_->build_id; }
const std::string& Binary::symbol_file() const { return impl_->symbol_file; }
ino_t Binary::inode() const { return impl_->inode; }
dev_t Binary::device() const { return impl_->device; }

}  // namespace nz::sites
