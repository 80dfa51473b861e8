// Reports in the store of history, where they outlive the agent.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "userspace/rest/report_store.h"
#include "userspace/store/store.h"

namespace nz::agent {

class StoredReports : public rest::ReportArchive {
 public:
  /// `store` outlives it.
  explicit StoredReports(store::Store& store) : store_(store) {}

  /// What fails is counted and logged, too.
  Result<void> put(const rest::Report& report) override;
  [[nodiscard]] std::vector<rest::Report> list() const override;
  [[nodiscard]] std::optional<rest::Report> find(const std::string& id) const override;

  /// Reports that were not kept, and those that could not be read any more.
  [[nodiscard]] std::uint64_t errors() const { return errors_; }

 private:
  store::Store& store_;
  mutable std::atomic<std::uint64_t> errors_ = 0;
};

}  // namespace nz::agent
