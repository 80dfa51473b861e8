#include "userspace/sites/elf_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace nz::sites {
namespace {

/// Whether [offset, offset + size) lies in a file of `limit` bytes; immune to overflow.
bool fits(uint64_t offset, uint64_t size, uint64_t limit) {
  return offset <= limit && size <= limit - offset;
}

std::string hex(const uint8_t* bytes, size_t count) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

tl::unexpected<Error> truncated(const std::string& path, const std::string& part, uint64_t end,
                                uint64_t size) {
  return fail(path + ": truncated ELF file: its " + part + " ends at byte " + std::to_string(end) +
                  ", the file has " + std::to_string(size),
              "install the file again");
}

}  // namespace

Result<ElfFile> ElfFile::open(const std::string& path) {
  ElfFile file;
  file.path_ = path;
  file.fd_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.fd_.valid()) return fail_errno("open " + path, errno);
  struct stat status {};
  if (fstat(file.fd_.get(), &status) != 0) return fail_errno("fstat " + path, errno);
  if (!S_ISREG(status.st_mode)) return fail(path + ": not a regular file");
  file.size_ = static_cast<uint64_t>(status.st_size);
  if (file.size_ == 0) return fail(path + ": the file is empty");

  std::array<uint8_t, EI_NIDENT> ident{};
  if (pread(file.fd_.get(), ident.data(), ident.size(), 0) != EI_NIDENT ||
      std::string_view(reinterpret_cast<char*>(ident.data()), SELFMAG) != ELFMAG)
    return fail(path + ": not an ELF binary",
                "name the program that is executed, not a script that starts it");
  if (ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != ELFDATA2LSB)
    return fail(path + ": not a 64-bit little-endian binary", "only x86-64 is supported");

  elf_version(EV_CURRENT);
  file.elf_.reset(elf_begin(file.fd_.get(), ELF_C_READ, nullptr));
  auto headers = file.read_headers();
  if (!headers) return tl::unexpected(headers.error());
  return file;
}

Result<ElfFile> ElfFile::from_memory(const std::string& path, std::vector<uint8_t> bytes) {
  ElfFile file;
  file.path_ = path;
  file.memory_ = std::move(bytes);
  file.size_ = file.memory_.size();
  if (file.size_ < sizeof(Elf64_Ehdr) || std::memcmp(file.memory_.data(), ELFMAG, SELFMAG) != 0 ||
      file.memory_[EI_CLASS] != ELFCLASS64 || file.memory_[EI_DATA] != ELFDATA2LSB)
    return fail(path + ": not a 64-bit little-endian ELF image");
  elf_version(EV_CURRENT);
  file.elf_.reset(elf_memory(reinterpret_cast<char*>(file.memory_.data()), file.memory_.size()));
  auto headers = file.read_headers();
  if (!headers) return tl::unexpected(headers.error());
  return file;
}

Result<void> ElfFile::read_headers() {
  GElf_Ehdr header;
  if (!elf_ || elf_kind(elf_.get()) != ELF_K_ELF || gelf_getehdr(elf_.get(), &header) == nullptr)
    return fail(path_ + ": damaged ELF header");
  if (header.e_machine != EM_X86_64)
    return fail(path_ + ": machine " + std::to_string(header.e_machine) + " is not x86-64",
                "only x86-64 is supported");
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
    return fail(path_ + ": neither an executable nor a shared library",
                "object files and core dumps cannot be probed");
  type_ = header.e_type;

  size_t program_headers = 0;
  size_t section_headers = 0;
  size_t names = 0;
  if (elf_getphdrnum(elf_.get(), &program_headers) != 0 || program_headers == 0)
    return fail(path_ + ": no usable program headers");
  if (!fits(header.e_phoff, program_headers * sizeof(Elf64_Phdr), size_))
    return truncated(path_, "program header table",
                     header.e_phoff + program_headers * sizeof(Elf64_Phdr), size_);
  if (header.e_shoff == 0)
    return fail(
        path_ + ": no section headers, so no symbol can be found",
        "the file is packed (UPX) or was stripped of its section headers; use the original");
  if (!fits(header.e_shoff, sizeof(Elf64_Shdr), size_))
    return truncated(path_, "section header table", header.e_shoff + sizeof(Elf64_Shdr), size_);
  if (elf_getshdrnum(elf_.get(), &section_headers) != 0 || section_headers == 0 ||
      !fits(header.e_shoff, section_headers * sizeof(Elf64_Shdr), size_))
    return fail(path_ + ": truncated or damaged section header table", "install the file again");
  if (elf_getshdrstrndx(elf_.get(), &names) != 0 || names >= section_headers)
    return fail(path_ + ": damaged section name table", "install the file again");

  for (size_t i = 0; i < program_headers; ++i) {
    GElf_Phdr p;
    if (gelf_getphdr(elf_.get(), static_cast<int>(i), &p) == nullptr)
      return fail(path_ + ": damaged program header " + std::to_string(i));
    if (p.p_type == PT_INTERP) interpreter_ = true;
    if (p.p_type != PT_LOAD) continue;
    // A separate debug file keeps the program headers of the original, without the bytes.
    if (p.p_memsz < p.p_filesz || p.p_vaddr + p.p_memsz < p.p_vaddr)
      return fail(path_ + ": impossible size in program header " + std::to_string(i));
    segments_.push_back({p.p_vaddr, p.p_memsz, p.p_offset, p.p_filesz, (p.p_flags & PF_X) != 0});
  }
  if (segments_.empty()) return fail(path_ + ": nothing in the file is loaded");

  for (size_t i = 1; i < section_headers; ++i) {
    Elf_Scn* scn = elf_getscn(elf_.get(), i);
    GElf_Shdr s;
    if (scn == nullptr || gelf_getshdr(scn, &s) == nullptr)
      return fail(path_ + ": damaged section header " + std::to_string(i));
    if (s.sh_type != SHT_NOBITS && s.sh_type != SHT_NULL && !fits(s.sh_offset, s.sh_size, size_))
      return truncated(path_, "section " + std::to_string(i), s.sh_offset + s.sh_size, size_);
    const char* name = elf_strptr(elf_.get(), names, s.sh_name);
    sections_.push_back(
        {name != nullptr ? name : "", s.sh_addr, s.sh_size, s.sh_flags, s.sh_type, i});
  }
  return {};
}

bool ElfFile::for_each_symbol(uint32_t type, const SymbolVisitor& visit) const {
  bool found = false;
  for (const Section& section : sections_) {
    if (section.type != type) continue;
    Elf_Scn* scn = elf_getscn(elf_.get(), section.index);
    GElf_Shdr header;
    if (scn == nullptr || gelf_getshdr(scn, &header) == nullptr) continue;
    if (header.sh_entsize != sizeof(Elf64_Sym)) continue;
    Elf_Data* data = elf_getdata(scn, nullptr);
    if (data == nullptr || data->d_buf == nullptr) continue;
    found = true;
    const size_t count = data->d_size / sizeof(Elf64_Sym);
    for (size_t i = 1; i < count && i <= INT32_MAX; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
      const char* raw = elf_strptr(elf_.get(), header.sh_link, symbol.st_name);
      if (raw == nullptr || *raw == '\0') continue;
      const std::string_view name(raw);
      visit(symbol, name.substr(0, name.find('@', 1)));
    }
  }
  return found;
}

const Section* ElfFile::section(std::string_view name) const {
  for (const Section& section : sections_)
    if (section.name == name) return &section;
  return nullptr;
}

std::vector<uint8_t> ElfFile::section_bytes(const Section& section) const {
  if (section.type == SHT_NOBITS) return {};
  Elf_Scn* scn = elf_getscn(elf_.get(), section.index);
  Elf_Data* data = scn != nullptr ? elf_rawdata(scn, nullptr) : nullptr;
  if (data == nullptr || data->d_buf == nullptr) return {};
  const auto* bytes = static_cast<const uint8_t*>(data->d_buf);
  return {bytes, bytes + data->d_size};
}

DynamicInfo ElfFile::dynamic() const {
  DynamicInfo info;
  for (const Section& section : sections_) {
    if (section.type != SHT_DYNAMIC) continue;
    Elf_Scn* scn = elf_getscn(elf_.get(), section.index);
    GElf_Shdr header;
    Elf_Data* data = scn != nullptr ? elf_getdata(scn, nullptr) : nullptr;
    if (data == nullptr || data->d_buf == nullptr || gelf_getshdr(scn, &header) == nullptr)
      continue;
    info.present = true;
    const size_t count = data->d_size / sizeof(Elf64_Dyn);
    for (size_t i = 0; i < count; ++i) {
      GElf_Dyn entry;
      if (gelf_getdyn(data, static_cast<int>(i), &entry) == nullptr || entry.d_tag == DT_NULL)
        break;
      if (entry.d_tag == DT_SONAME) info.soname = true;
      if (entry.d_tag == DT_FLAGS_1) info.flags_1 = entry.d_un.d_val;
      if (entry.d_tag == DT_NEEDED) {
        const char* name = elf_strptr(elf_.get(), header.sh_link, entry.d_un.d_val);
        if (name != nullptr) info.needed.emplace_back(name);
      }
    }
  }
  return info;
}

std::string ElfFile::build_id() const {
  for (const Section& section : sections_) {
    if (section.type != SHT_NOTE) continue;
    Elf_Scn* scn = elf_getscn(elf_.get(), section.index);
    Elf_Data* data = scn != nullptr ? elf_getdata(scn, nullptr) : nullptr;
    if (data == nullptr || data->d_buf == nullptr) continue;
    GElf_Nhdr note;
    size_t name_at = 0;
    size_t value_at = 0;
    for (size_t at = 0; (at = gelf_getnote(data, at, &note, &name_at, &value_at)) > 0;) {
      if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != sizeof("GNU")) continue;
      if (!fits(name_at, note.n_namesz, data->d_size) ||
          !fits(value_at, note.n_descsz, data->d_size))
        continue;
      const auto* bytes = static_cast<const uint8_t*>(data->d_buf);
      if (std::string_view(reinterpret_cast<const char*>(bytes) + name_at, 4) !=
          std::string_view("GNU\0", 4))
        continue;
      return hex(bytes + value_at, note.n_descsz);
    }
  }
  return {};
}

Fd ElfFile::release_fd() {
  elf_.reset();
  return std::move(fd_);
}

}  // namespace nz::sites
