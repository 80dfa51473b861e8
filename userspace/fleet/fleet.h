// Many hosts side by side, from the Prometheus that scrapes them: who is not like the others.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "userspace/fleet/figures.h"
#include "userspace/fleet/prometheus.h"
#include "userspace/report/document/document.h"

namespace nz::fleet {

/// One figure of one host, or of one service on it.
struct HostFigure {
  std::string host, target;
  double now = 0;                      ///< median over the range
  double before = 0;                   ///< ... and over the time before; NaN: unknown
  double covered = 0;                  ///< share of the range that there are values of
  std::vector<history::Point> points;  ///< ascending
};

struct Figure {
  const FigureKind* kind = nullptr;
  std::vector<HostFigure> hosts;
};

/// A bottleneck that an agent reported in the range.
struct HostFinding {
  std::string host, target, kind;
  double impact = 0;  ///< 0..1, the worst
};

struct Fleet {
  double from = 0, to = 0;  ///< Unix seconds
  std::string before_name;  ///< empty: no comparison
  std::string job;          ///< the one that was asked for; empty: all
  std::string url;
  std::vector<Figure> figures;  ///< of every kind, those without a host too
  std::vector<HostFinding> findings;
  std::vector<std::string> down;      ///< hosts that Prometheus cannot scrape now
  std::vector<std::string> warnings;  ///< what Prometheus says of its own answers
};

struct Ask {
  double from = 0, to = 0;  ///< Unix seconds
  double shift = 0;         ///< seconds that the comparison is earlier; 0: none
  std::string before_name;
  std::string job;
  std::string url;  ///< for the report
};

/// Asks for every figure. `progress` hears of each question. Errors: Prometheus does not answer or
/// refuses; it knows no host of nearzero.
Result<Fleet> gather(Prometheus& prometheus, const Ask& ask,
                     const std::function<void(std::size_t, std::size_t)>& progress = {});

/// Pure: the same for the same fleet. At most some hundred hosts in a table, the oddest first.
report::Document make_document(const Fleet& fleet, double created);

}  // namespace nz::fleet
