// Numbers for series, in the file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/history/series.h"
#include "userspace/store/connection.h"

namespace nz::store {

struct StoredSeries {
  std::uint32_t id = 0;
  history::Series series;
};

/// `series.labels`: each text behind its length, in their order.
std::string pack_labels(const metrics::Labels& labels);
metrics::Labels unpack_labels(std::string_view packed);

/// Those of one family, or all where `name` is empty; by name and labels. A failure stays in the
/// connection.
std::vector<StoredSeries> load_series(Connection& connection, std::string_view name = {});

/// Enters a series under a number of the agent's. Where an import has entered it under another
/// one meanwhile, what it brought gets this number.
void enter_series(Connection& connection, const StoredSeries& series, std::int64_t last_ms);

/// The number of a series for an import, which is entered if it is not known. 0: no number is left,
/// or the connection has failed.
std::uint32_t find_or_enter_series(Connection& connection, const history::Series& series,
                                   std::int64_t last_ms);

}  // namespace nz::store
