// What a Prometheus (or Mimir, Thanos, VictoriaMetrics: the same API) answers to PromQL.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "userspace/client/client.h"
#include "userspace/history/history.h"

namespace nz::fleet {

/// One series of an answer.
struct Series {
  std::map<std::string, std::string> labels;
  std::vector<history::Point> points;  ///< of an instant query: one
};

struct Answer {
  std::vector<Series> series;
  /// What the server says of its own answer: shards that did not answer, samples left out.
  std::vector<std::string> warnings;
};

class Prometheus {
 public:
  explicit Prometheus(client::Client client) : client_(std::move(client)) {}

  /// PromQL over a range, times in Unix seconds, `step` in seconds. Errors: no answer, a refusal
  /// (with the server's own words), an answer that is none of Prometheus.
  Result<Answer> range(const std::string& promql, double from, double to, double step);
  /// PromQL at one moment.
  Result<Answer> at(const std::string& promql, double time);

 private:
  Result<Answer> ask(const std::string& path, const client::Query& query,
                     const std::string& promql);
  client::Client client_;
};

/// Reads the JSON of an answer; `place` names it in errors.
Result<Answer> parse_answer(const std::string& body, const std::string& place);

}  // namespace nz::fleet
