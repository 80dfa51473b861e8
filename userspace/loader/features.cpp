#include "userspace/loader/features.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

namespace nz::loader {
namespace {

// Numbers from include/uapi/linux/capability.h.
constexpr int kCapSysAdmin = 21;
constexpr int kCapPerfmon = 38;
constexpr int kCapBpf = 39;

uint64_t effective_capabilities() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind("CapEff:", 0) == 0) return std::stoull(line.substr(7), nullptr, 16);
  }
  return 0;
}

Feature privilege() {
  const uint64_t caps = effective_capabilities();
  const auto has = [caps](int cap) { return (caps >> cap & 1U) != 0; };
  if (has(kCapSysAdmin) || (has(kCapBpf) && has(kCapPerfmon))) return {true, {}};
  return {
      false,
      "loading BPF programs needs root, or CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE; run as root "
      "or through sudo"};
}

bool release_at_least(const char* release, int major, int minor) {
  int a = 0;
  int b = 0;
  if (std::sscanf(release, "%d.%d", &a, &b) != 2) return false;  // NOLINT(cert-err34-c)
  return a > major || (a == major && b >= minor);
}

}  // namespace

Features detect_features(const std::string& btf_path) {
  Features f;
  utsname name{};
  uname(&name);
  f.kernel = name.release;
  f.privilege = privilege();

  btf* kernel = btf__parse(btf_path.c_str(), nullptr);
  if (kernel == nullptr) {
    const char* text = strerrordesc_np(errno);  // libbpf has error numbers of its own, too
    f.btf.reason = "no kernel type information at " + btf_path + ": " +
                   (text != nullptr ? text : "not BTF") +
                   "; needs a kernel built with CONFIG_DEBUG_INFO_BTF=y (Debian's are)";
    f.uprobe_multi = f.uprobe_session = f.btf;
    return f;
  }
  f.btf.available = true;
  const auto since = [&f](bool present, const char* what, const char* version) {
    return present ? Feature{true, {}}
                   : Feature{false, std::string(what) + " needs Linux " + version +
                                        " or newer, this is " + f.kernel};
  };
  // The kernel's own symbols tell better than its version: distributions backport.
  const bool multi = btf__find_by_name_kind(kernel, "bpf_uprobe_multi_link", BTF_KIND_STRUCT) > 0 &&
                     release_at_least(name.release, 6, 10);
  const bool session = btf__find_by_name_kind(kernel, "bpf_session_is_return", BTF_KIND_FUNC) > 0 &&
                       multi && release_at_least(name.release, 6, 13);
  f.uprobe_multi = since(multi, "uprobe_multi with a correct process filter", "6.10");
  f.uprobe_session = since(session, "uprobe sessions", "6.13");
  btf__free(kernel);
  return f;
}

}  // namespace nz::loader
