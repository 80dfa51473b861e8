#include "userspace/sites/kernel.h"

#include <sys/utsname.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace nz::sites {

KernelTraits traits_of_release(std::string_view release) {
  KernelTraits traits;
  traits.release = release;
  std::pair<int, int> version{0, 0};
  const char* const end = release.data() + release.size();
  auto [dot, error] = std::from_chars(release.data(), end, version.first);
  if (error != std::errc() || dot == end || *dot != '.' ||
      std::from_chars(dot + 1, end, version.second).ec != std::errc()) {
    traits.optimised_nop5 = true;
    return traits;
  }
  traits.emulates_multibyte_nop = version >= std::pair{6, 16};
  traits.optimised_nop5 = version >= std::pair{6, 18};
  return traits;
}

KernelTraits detect() {
  utsname name{};
  return traits_of_release(uname(&name) == 0 ? name.release : "");
}

bool status_has_shadow_stack(std::string_view status) {
  constexpr std::string_view kKey = "x86_Thread_features:";
  // The second line with this prefix is x86_Thread_features_locked: says nothing about use.
  for (size_t at = 0; (at = status.find(kKey, at)) != std::string_view::npos; at += kKey.size()) {
    if (at != 0 && status[at - 1] != '\n') continue;
    const std::string_view line = status.substr(at, status.find('\n', at) - at);
    if (line.find("shstk") != std::string_view::npos) return true;
  }
  return false;
}

bool user_shadow_stack_active(int pid) {
  // Features are per thread; threads inherit them, yet one may have been started before.
  std::error_code error;
  const std::filesystem::path tasks = "/proc/" + std::to_string(pid) + "/task";
  for (std::filesystem::directory_iterator it(tasks, error), end; !error && it != end;
       it.increment(error)) {
    std::ifstream file(it->path() / "status");
    std::stringstream text;
    text << file.rdbuf();
    if (status_has_shadow_stack(text.str())) return true;
  }
  return false;
}

}  // namespace nz::sites
