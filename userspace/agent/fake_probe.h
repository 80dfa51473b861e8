// A probe that attaches nothing, for tests of what the agent does with probes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "probes/probe.h"

namespace nz::agent {

/// An Env without a loaded object: drain and tracker work on the test's own memory.
class FakeEnv {
 public:
  std::vector<nz_counters>& counters() { return counters_; }
  targets::Tracker& tracker() { return tracker_; }
  const probes::Env& env() { return env_; }

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
  probes::Env env_{no_object(), drain_, tracker_};
};

class FakeProbe final : public probes::Probe {
 public:
  FakeProbe(const probes::Env& env, std::string name) : Probe(env), name_(std::move(name)) {}

  [[nodiscard]] std::string name() const override { return name_; }
  void stop() override {}
  void collect(std::vector<metrics::Family>& out) const override { (void)out; }
  [[nodiscard]] std::vector<probes::Cost> costs() const override { return costs_; }
  [[nodiscard]] std::vector<probes::Status> status() const override { return status_; }
  void trip(uint32_t slot) override { tripped_.push_back(slot); }

  [[nodiscard]] bool has_duty_cycle() const override { return has_duty_cycle_; }
  void wind_down(uint32_t slot) override { note("wind_down", slot); }
  [[nodiscard]] bool wound_down(uint32_t slot) const override {
    (void)slot;
    return wound_down_;
  }
  void pause(uint32_t slot) override { note("pause", slot); }
  void resume(uint32_t slot) override { note("resume", slot); }
  void note(const char* what, uint32_t slot) {
    calls_.push_back(std::string(what) + " " + std::to_string(slot));
  }

  bool has_duty_cycle_ = true;
  bool wound_down_ = true;
  std::vector<std::string> calls_;
  std::string name_;
  std::vector<probes::Cost> costs_;
  std::vector<probes::Status> status_;
  std::vector<uint32_t> tripped_;
};

}  // namespace nz::agent
