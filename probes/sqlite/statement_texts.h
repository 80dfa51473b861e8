// What is known of statements by the kernel's ids: their texts, and the digests they belong to.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "nearzero/abi.h"

namespace nz::probes {

/// Statement id -> its text, learnt from the kernel's events.
class StatementTexts {
 public:
  void learn(const nz_event& event, std::span<const std::byte> bytes);

  struct Known {
    uint32_t slot = 0;
    std::string text;        ///< as it is shown, cut to a label: no literal is ever kept
    std::string display;     ///< the same, whole as far as the kernel read it
    std::string digest;      ///< of `display`; several ids may have one
    std::string normalised;  ///< as the kernel hashed it
    bool cut = false;        ///< the statement goes on behind what the kernel read
  };
  [[nodiscard]] const std::map<uint32_t, Known>& known() const { return known_; }
  /// nullptr where it is not known.
  [[nodiscard]] const Known* find(uint32_t id) const {
    const auto found = known_.find(id);
    return found == known_.end() ? nullptr : &found->second;
  }

 private:
  std::map<uint32_t, Known> known_;
};

}  // namespace nz::probes
