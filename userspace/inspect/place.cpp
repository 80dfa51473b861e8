#include "userspace/inspect/place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

#include "userspace/targets/process.h"

namespace nz::inspect {
namespace {

constexpr std::array<const char*, 6> kLibraryFolders = {"/lib/x86_64-linux-gnu",
                                                        "/usr/lib/x86_64-linux-gnu",
                                                        "/lib64",
                                                        "/usr/lib64",
                                                        "/usr/local/lib",
                                                        "/usr/lib"};

bool is_file(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

// libc.so is a script for the linker; libc.so.6 is the library.
bool is_elf(const std::string& path) {
  std::array<char, 4> magic{};
  std::ifstream file(path, std::ios::binary);
  return file.read(magic.data(), magic.size()) && std::string_view(magic.data(), 4) == "\177ELF";
}

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// "libssl.so.3", "libssl" and "ssl" name /usr/lib/.../libssl.so.3.
bool names_library(const std::string& file, const std::string& wanted) {
  for (const std::string& name : {wanted, "lib" + wanted}) {
    if (file == name || file.starts_with(name + ".so")) return true;
    // Versions may stand before the suffix: libstdc++-6.so, libfoo-1.2.so.
    if (file.starts_with(name + "-") && file.find(".so") != std::string::npos) return true;
  }
  return false;
}

std::optional<std::string> in_path(const std::string& name) {
  const char* folders = std::getenv("PATH");
  std::istringstream list(folders != nullptr ? folders : "/usr/bin:/bin");
  std::string folder;
  while (std::getline(list, folder, ':')) {
    std::string path = folder + "/" + name;
    if (!folder.empty() && is_file(path) && access(path.c_str(), X_OK) == 0) return path;
  }
  return std::nullopt;
}

// All libraries that the name may mean; symbolic links to one file count once.
std::vector<std::string> libraries(const std::string& name) {
  std::vector<std::string> found;
  std::vector<std::filesystem::path> real;
  for (const char* folder : kLibraryFolders) {
    std::error_code unreadable;
    for (const auto& entry : std::filesystem::directory_iterator(folder, unreadable)) {
      if (!names_library(entry.path().filename(), name) || !is_file(entry.path()) ||
          !is_elf(entry.path()))
        continue;
      std::error_code gone;
      auto target = std::filesystem::canonical(entry.path(), gone);
      if (gone || std::find(real.begin(), real.end(), target) != real.end()) continue;
      found.push_back(target.string());
      real.push_back(std::move(target));
    }
  }
  return found;
}

Result<Place> in_process(pid_t pid, const std::string& binary, const std::string& pattern) {
  const auto process = targets::read_process(pid);
  if (!process) {
    return fail("no process " + std::to_string(pid), "see `ps` for what runs", ESRCH);
  }
  if (binary.empty()) {
    if (process->exe.empty())
      return fail("process " + std::to_string(pid) + " (" + process->comm +
                  ") is a kernel thread: it has no executable");
    return Place{targets::openable_executable(pid), process->exe, pattern};
  }
  std::string mapped;
  for (const targets::Mapping& m : targets::executable_files(pid)) {
    const std::string name = file_name(m.path);
    if (m.path == binary || name == binary || names_library(name, binary))
      return Place{targets::openable_path(pid, m), m.path, pattern};
    mapped += (mapped.empty() ? "" : ", ") + name;
  }
  if (binary.starts_with('/')) {
    const std::string path = "/proc/" + std::to_string(pid) + "/root" + binary;
    if (is_file(path)) return Place{path, binary, pattern};
  }
  return fail("process " + std::to_string(pid) + " (" + process->comm + ") maps no " + binary,
              mapped.empty() ? "it has ended, or you may not read it" : "it maps " + mapped,
              ENOENT);
}

}  // namespace

Result<Place> find_place(const std::string& text, std::optional<pid_t> pid) {
  // A path may hold a colon; a file that exists under the whole text is meant by it.
  const size_t colon = is_file(text) ? std::string::npos : text.find(':');
  const std::string binary = text.substr(0, colon);
  const std::string pattern = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (pid) return in_process(*pid, binary, pattern);
  if (binary.empty())
    return fail("no binary is named in '" + text + "'",
                "write BINARY:PATTERN, or give the process with -p");
  if (binary.find('/') != std::string::npos) {
    if (is_file(binary)) return Place{binary, binary, pattern};
    const int error = access(binary.c_str(), F_OK) == 0 ? EISDIR : errno;
    return fail_errno("open " + binary, error, "name an executable or a library");
  }
  if (auto path = in_path(binary)) return Place{*path, *path, pattern};
  const std::vector<std::string> found = libraries(binary);
  if (found.size() == 1) return Place{found[0], found[0], pattern};
  if (found.size() > 1) {
    std::string all;
    for (const std::string& path : found) all += (all.empty() ? "" : ", ") + path;
    return fail("'" + binary + "' may be any of " + std::to_string(found.size()) + " libraries",
                "name one: " + all, ENOENT);
  }
  if (is_file(binary)) return Place{"./" + binary, binary, pattern};
  return fail("no program or library '" + binary + "'",
              "give its path; looked in $PATH and the library folders", ENOENT);
}

}  // namespace nz::inspect
