// Generated reports, in memory: the newest thirty-two.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "userspace/report/document/document.h"

namespace nz::rest {

struct Report {
  std::string id;
  std::string title;
  double created = 0;       ///< Unix seconds
  double from = 0, to = 0;  ///< Unix seconds
  std::size_t findings = 0;
  bool complete = false;
  std::string body;                                  ///< its figures, JSON
  std::shared_ptr<const report::Document> document;  ///< what it says
};

class ReportStore {
 public:
  static constexpr std::size_t kMost = 32;  ///< then the oldest goes

  /// An id that no report has had: "20261127T090000Z-1".
  std::string next_id(double created);
  void put(std::shared_ptr<const Report> report);
  /// nullptr: there is none, or it has gone.
  [[nodiscard]] std::shared_ptr<const Report> find(std::string_view id) const;
  /// Newest first.
  [[nodiscard]] std::vector<std::shared_ptr<const Report>> list() const;

 private:
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const Report>> reports_;  // newest first
  unsigned made_ = 0;
};

}  // namespace nz::rest
