// Numbers for stages and probed addresses. A stage keeps its number for the agent's life: detach,
// reload and restart of the target go on counting where they were. What is scarce (an address, a
// place among a thread's open stages) is given back when nobody uses it.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <set>
#include <string>

#include "nearzero/abi.h"
#include "probes/stages/plan.h"

namespace nz::probes {

/// By the target's name, not its slot: a slot may go to another target when a reload removes this
/// one.
struct StageKey {
  std::string target;
  std::string name;
  auto operator<=>(const StageKey&) const = default;
};

struct SiteKey {
  uint32_t slot = 0;
  dev_t device = 0;
  ino_t inode = 0;
  uint64_t offset = 0;
  bool is_return = false;
  auto operator<=>(const SiteKey&) const = default;
};

struct SiteInfo {
  uint32_t slot = 0;
  bool returns = false, stepped = false, is_return = false;
};

class StageIds {
 public:
  explicit StageIds(uint32_t max_stages) : max_stages_(max_stages) {}

  /// The numbers of a stage of `target`, new or known. Errors: no room for another stage; more than
  /// NZ_OPEN_STAGES with from/to in this target.
  Result<StageId> stage(const std::string& target, const config::Stage& stage);
  /// `stages` is all that `target` has now. Others keep their number (and counts), but give back
  /// their place among the open stages.
  void configure(const std::string& target, const std::vector<config::Stage>& stages);

  /// The number of an address, new or known. Error: NZ_MAX_SITES are in use.
  Result<uint32_t> site(const SiteKey& key, bool returns, bool stepped);
  /// No link refers to it any more.
  void release_site(uint32_t number);

  [[nodiscard]] const std::map<StageKey, uint16_t>& stages() const { return stages_; }
  /// Number -> what it is.
  [[nodiscard]] const std::map<uint32_t, SiteInfo>& sites() const { return info_; }

 private:
  uint32_t max_stages_;
  std::map<StageKey, uint16_t> stages_;
  std::map<std::string, std::map<std::string, uint8_t>> open_;  // target -> stage -> place
  std::map<SiteKey, uint32_t> sites_;
  std::map<uint32_t, SiteInfo> info_;
};

}  // namespace nz::probes
