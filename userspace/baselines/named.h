// Named baselines in the file of history: made of a range of it, listed, found, removed. What the
// command does, beside a running agent or without one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/baseline/named.h"
#include "userspace/base/result.h"
#include "userspace/store/reader.h"

namespace nz::baselines {

/// A range is cut into so many slices, the samples of a comparison.
inline constexpr std::size_t kSlices = 12;
/// Shorter ranges have slices shorter than what history keeps (10 s).
inline constexpr double kLeastSeconds = 120;
/// At most so many are kept.
inline constexpr std::size_t kMostNamed = 32;

/// What is known of one without reading all of it.
struct Head {
  std::string name;
  double created = 0;       ///< Unix seconds
  double from = 0, to = 0;  ///< Unix seconds
  std::size_t series = 0, left_out = 0;
  std::uint64_t bytes = 0;
};
std::string text_of(const Head& head);
/// Nothing for what text_of() did not write.
std::optional<Head> head_from(std::string_view text);

/// Error: it is no name that a rule could use.
Result<void> check_name(const std::string& name);

/// Slice by slice between `from` and `to` (Unix seconds), those in which anything was recorded.
/// `progress` may return false: then the error is EINTR.
using Progress = std::function<bool(std::size_t done, std::size_t all)>;
Result<std::vector<analysis::Window>> slices_of(store::Reader& reader, double from, double to,
                                                const Progress& progress = {});

/// In the file at `path`, in one transaction. Error: EEXIST where one has that name already and is
/// not to be replaced, EFBIG where it is too large, ENOSPC where there are too many.
Result<void> keep(const std::string& path, const analysis::NamedBaseline& baseline, double created,
                  bool replace);
/// By name.
Result<std::vector<Head>> heads(store::Reader& reader);
/// Error: ENOENT where there is none of that name, kDamaged.
Result<analysis::NamedBaseline> find(store::Reader& reader, const std::string& name);
/// Error: ENOENT where there is none of that name.
Result<void> remove(const std::string& path, const std::string& name);

}  // namespace nz::baselines
