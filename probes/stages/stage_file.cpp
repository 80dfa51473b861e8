#include "probes/stages/stage_file.h"

#include <filesystem>
#include <system_error>

namespace nz::probes {

Result<std::string> file_of_stage(pid_t pid, const config::Stage& stage) {
  if (stage.binary.empty()) return targets::openable_executable(pid);
  std::error_code ignored;
  const std::string real = stage.binary.starts_with('/')
                               ? std::filesystem::weakly_canonical(stage.binary, ignored).string()
                               : std::string{};
  for (const targets::Mapping& m : targets::executable_files(pid)) {
    const std::string file = m.path.substr(m.path.rfind('/') + 1);
    if (m.path == stage.binary || m.path == real || file == stage.binary ||
        file.starts_with(stage.binary + ".")) {
      // One file, one path: stages that name the executable are planned with those that do not.
      const std::string path = targets::openable_path(pid, m);
      const std::string executable = targets::openable_executable(pid);
      return std::filesystem::equivalent(path, executable, ignored) ? executable : path;
    }
  }
  return fail("process " + std::to_string(pid) + " has not mapped '" + stage.binary + "'",
              "see /proc/" + std::to_string(pid) +
                  "/maps for what it has loaded; tried again every drain interval");
}

std::string with_real_path(std::string text, const std::string& file,
                           const targets::Process& process) {
  const std::string base = "/proc/" + std::to_string(process.pid);
  const std::string shown = file == base + "/exe" ? process.exe : file;
  for (size_t at = text.find(file); at != std::string::npos && shown != file;
       at = text.find(file, at + shown.size())) {
    text.replace(at, file.size(), shown);
  }
  return text;
}

}  // namespace nz::probes
