// What this kernel and these privileges allow, each with the reason when it does not.
#pragma once

#include <string>

namespace nz::loader {

struct Feature {
  bool available = false;
  std::string reason;  ///< why not, and the remedy; empty when available
};

struct Features {
  std::string kernel;  ///< uname -r
  Feature privilege;   ///< CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN
  Feature btf;
  Feature uprobe_multi;    ///< 6.6, with a correct pid filter from 6.10
  Feature uprobe_session;  ///< 6.13
};

/// Reads the kernel's BTF and release; asks no program to load.
Features detect_features(const std::string& btf_path = "/sys/kernel/btf/vmlinux");

}  // namespace nz::loader
