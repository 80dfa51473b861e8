// The dashboards and rules that ship in configs/, as tests read them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace nz::dashboards {

/// One PromQL expression, and where it stands.
struct Expression {
  std::string where;  ///< "host.json: Busy"
  std::string promql;
};

struct Dashboard {
  std::string file;  ///< "host.json"
  nlohmann::json root;

  /// Its panels without the rows.
  [[nodiscard]] std::vector<nlohmann::json> panels() const;
  [[nodiscard]] std::vector<Expression> expressions() const;
  /// Variables that are asked of Prometheus: name -> definition, `label_values(METRIC, LABEL)`.
  [[nodiscard]] std::map<std::string, std::string> variables() const;
};

/// All of configs/grafana/*.json, by file name.
std::vector<Dashboard> shipped();

/// A file of the repository; empty, and a failure, when it cannot be read.
std::string repository_file(const std::string& path);

/// `promql` as Grafana sends it: `values` for its own variables (`$name`), `window` for every
/// interval that it chooses ("10s").
std::string with_variables(std::string promql, const std::map<std::string, std::string>& values,
                           const std::string& window);

/// Names of metrics in an expression: `nearzero_...`, and recorded ones (with a colon).
std::set<std::string> metrics_of(const std::string& promql);

/// The family of a series: nearzero_x_bucket, _sum and _count are parts of nearzero_x.
std::string family_of(const std::string& metric);

/// Names of the recording rules in a file's text, in their order.
std::vector<std::string> records_of(const std::string& yaml);

}  // namespace nz::dashboards
