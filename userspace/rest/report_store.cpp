#include "userspace/rest/report_store.h"

#include <algorithm>

#include "userspace/rest/time.h"

namespace nz::rest {

std::string ReportStore::next_id(double created) {
  const std::lock_guard lock(mutex_);
  std::string id = format_time(created).substr(0, 19);
  std::erase_if(id, [](char c) { return c == '-' || c == ':'; });
  return id + "Z-" + std::to_string(++made_);
}

void ReportStore::put(std::shared_ptr<const Report> report) {
  const std::lock_guard lock(mutex_);
  reports_.push_front(std::move(report));
  if (reports_.size() > kMost) reports_.pop_back();
}

std::shared_ptr<const Report> ReportStore::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto it =
      std::find_if(reports_.begin(), reports_.end(), [&](const auto& r) { return r->id == id; });
  return it == reports_.end() ? nullptr : *it;
}

std::vector<std::shared_ptr<const Report>> ReportStore::list() const {
  const std::lock_guard lock(mutex_);
  return {reports_.begin(), reports_.end()};
}

}  // namespace nz::rest
