// What an agent lends to its probes, for tests: nothing of it reaches the kernel.
#pragma once

#include <cstddef>
#include <vector>

#include "probes/probe.h"

namespace nz::probes {

/// An Env without a loaded object: drain and tracker work on the test's own memory.
class FakeEnv {
 public:
  std::vector<nz_counters>& counters() { return counters_; }
  targets::Tracker& tracker() { return tracker_; }
  const Env& env() { return env_; }

 private:
  // Env needs a reference to an object, which only the kernel can give. Nothing here follows it.
  loader::Object& no_object() { return reinterpret_cast<loader::Object&>(no_object_); }

  static loader::Layout small() {
    loader::Layout layout;
    layout.cpus = 2;
    layout.max_stages = layout.max_statements = layout.max_syscalls = 1;
    return layout;
  }

  loader::Layout layout_ = small();
  std::vector<nz_hist> hists_ = std::vector<nz_hist>(layout_.cpus * layout_.series());
  std::vector<nz_counters> counters_ = std::vector<nz_counters>(layout_.cpus);
  nz_control control_{};
  targets::Tracker tracker_;
  alignas(loader::Object) std::byte no_object_[sizeof(loader::Object)]{};
  drain::Drain drain_{layout_, hists_, counters_, control_};
  Env env_{no_object(), drain_, tracker_};
};

}  // namespace nz::probes
