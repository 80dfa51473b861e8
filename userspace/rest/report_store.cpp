#include "userspace/rest/report_store.h"

#include <algorithm>

#include "userspace/rest/time.h"

namespace nz::rest {

void ReportStore::set_archive(ReportArchive* archive) {
  const std::lock_guard lock(mutex_);
  archive_ = archive;
}

std::string ReportStore::next_id(double created) {
  std::string second = format_time(created).substr(0, 19);
  std::erase_if(second, [](char c) { return c == '-' || c == ':'; });
  for (;;) {
    std::string id;
    {
      const std::lock_guard lock(mutex_);
      id = second + "Z-" + std::to_string(++made_);
    }
    // Where the clock was set back, an archive may have this second already.
    if (!find(id)) return id;
  }
}

void ReportStore::put(std::shared_ptr<const Report> report) {
  ReportArchive* archive = nullptr;
  {
    const std::lock_guard lock(mutex_);
    archive = archive_;
  }
  if (archive != nullptr && archive->put(*report)) return;
  const std::lock_guard lock(mutex_);
  std::erase_if(reports_, [&](const auto& known) { return known->id == report->id; });
  reports_.push_front(std::move(report));
  if (reports_.size() > kMost) reports_.pop_back();
}

std::shared_ptr<const Report> ReportStore::find(std::string_view id) const {
  const ReportArchive* archive = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto it =
        std::find_if(reports_.begin(), reports_.end(), [&](const auto& r) { return r->id == id; });
    if (it != reports_.end()) return *it;
    archive = archive_;
  }
  auto kept = archive == nullptr ? std::nullopt : archive->find(std::string(id));
  return kept ? std::make_shared<const Report>(std::move(*kept)) : nullptr;
}

std::vector<std::shared_ptr<const Report>> ReportStore::list() const {
  std::vector<std::shared_ptr<const Report>> all;
  const ReportArchive* archive = nullptr;
  {
    const std::lock_guard lock(mutex_);
    all.assign(reports_.begin(), reports_.end());
    archive = archive_;
  }
  if (archive == nullptr) return all;
  for (Report& kept : archive->list())
    all.push_back(std::make_shared<const Report>(std::move(kept)));
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a->created > b->created; });
  return all;
}

}  // namespace nz::rest
