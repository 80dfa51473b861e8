// The kernel's table of probed addresses: what a hit at each means, and how many there were.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "probes/probe.h"
#include "probes/stages/ids.h"

namespace nz::probes {

nz_site site_with(const std::vector<nz_action>& actions, int64_t displacement, bool in_executable);
/// The same, where nothing begins any more.
nz_site winding_down(nz_site site);
/// The same after a pause, in which something may have begun that ends soon.
nz_site after_pause(nz_site site);

class SiteTable {
 public:
  SiteTable(const Env& env, StageIds& ids);

  /// Threads remember the number of the site at an address: they ask anew from here on.
  void write(uint32_t number, const nz_site& site);
  /// No link refers to it any more. Its hits so far are kept in the account, and the next owner
  /// starts from zero.
  void release(uint32_t number);
  [[nodiscard]] std::vector<Cost> costs() const;

 private:
  [[nodiscard]] uint64_t hits(uint32_t number) const;

  const Env& env_;
  StageIds& ids_;
  std::span<nz_site> sites_;
  std::span<uint64_t> hits_;
  std::map<std::pair<uint32_t, HitKind>, uint64_t> released_hits_;  // of sites given back
};

}  // namespace nz::probes
