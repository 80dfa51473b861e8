// A probe that attaches nothing, for tests of what the agent does with probes.
#pragma once

#include <string>
#include <vector>

#include "probes/fake_env.h"
#include "probes/probe.h"

namespace nz::agent {

using probes::FakeEnv;

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
