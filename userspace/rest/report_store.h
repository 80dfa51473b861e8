// Reports that were made: in an archive that outlives the agent where there is one, else the newest
// thirty-two in memory.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"

namespace nz::rest {

/// A report as it was made. In lists its texts are empty.
struct Report {
  std::string id;
  std::string title;
  double created = 0;       ///< Unix seconds
  double from = 0, to = 0;  ///< Unix seconds
  std::size_t findings = 0;
  bool complete = false;
  std::size_t bytes = 0;                 ///< as it is kept
  std::string body;                      ///< its figures, JSON
  std::string document, html, markdown;  ///< what it says, in each form
};

/// Where reports are kept over a restart. Of any thread.
class ReportArchive {
 public:
  ReportArchive() = default;
  ReportArchive(const ReportArchive&) = delete;
  ReportArchive& operator=(const ReportArchive&) = delete;
  virtual ~ReportArchive() = default;
  /// Found at once; the same id replaces. Error: it is not kept.
  virtual Result<void> put(const Report& report) = 0;
  /// Newest first, without texts.
  [[nodiscard]] virtual std::vector<Report> list() const = 0;
  /// Nothing: there is none, or it has gone.
  [[nodiscard]] virtual std::optional<Report> find(const std::string& id) const = 0;
};

class ReportStore {
 public:
  static constexpr std::size_t kMost = 32;  ///< in memory; then the oldest goes

  /// Must outlive this; null: memory alone.
  void set_archive(ReportArchive* archive);

  /// An id that no report has: "20261127T090000Z-1".
  std::string next_id(double created);
  /// In the archive; in memory where there is none, or it does not take it.
  void put(std::shared_ptr<const Report> report);
  /// nullptr: there is none, or it has gone.
  [[nodiscard]] std::shared_ptr<const Report> find(std::string_view id) const;
  /// Newest first. The texts of those that are archived are empty.
  [[nodiscard]] std::vector<std::shared_ptr<const Report>> list() const;

 private:
  mutable std::mutex mutex_;
  ReportArchive* archive_ = nullptr;
  std::deque<std::shared_ptr<const Report>> reports_;  // newest first
  unsigned made_ = 0;
};

}  // namespace nz::rest
