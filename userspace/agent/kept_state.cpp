#include "userspace/agent/kept_state.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace nz::agent {

std::optional<std::string> KeptState::find() const {
  if (store_ == nullptr) return std::nullopt;
  auto saved = store_->find_state(key_);
  if (saved) return std::move(*saved);
  lost(saved.error());
  return std::nullopt;
}

void KeptState::lost(const Error& why) const {
  spdlog::warn("{} of before the start are lost: {}", what_, why.text());
}

void KeptState::write(double now, std::string value) {
  written_ = now;
  if (store_ == nullptr) return;
  const auto put = store_->put_state(key_, std::move(value));
  if (!put && !refused_)
    spdlog::warn("{} would not outlive a restart: {}", what_, put.error().text());
  refused_ = !put;
}

}  // namespace nz::agent
