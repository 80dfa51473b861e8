// Validates answers against configs/rest/openapi.yaml.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace nz::openapi {

class Description {
 public:
  /// Reads the file; throws what YAML or JSON throw.
  explicit Description(const std::string& path);

  /// What is wrong with an answer to `method` `path` (with or without a query); "" where it is as
  /// described: path, status, content type, and the body against its schema.
  [[nodiscard]] std::string check(const std::string& method, const std::string& path, int status,
                                  const std::string& content_type, const std::string& body);

  /// "GET /performance/metrics 200" for each answer that is described and that no check has seen.
  [[nodiscard]] std::set<std::string> unseen() const;

  /// Names of the parameters of a query that an operation has.
  [[nodiscard]] std::set<std::string> query_parameters(const std::string& method,
                                                       const std::string& path) const;
  /// "GET /performance/metrics"
  [[nodiscard]] std::set<std::string> operations() const;
  [[nodiscard]] const nlohmann::json& document() const { return document_; }

 private:
  [[nodiscard]] const nlohmann::json& resolved(const nlohmann::json& node) const;
  [[nodiscard]] std::string template_of(const std::string& path) const;

  nlohmann::json document_;
  std::set<std::string> seen_;
};

}  // namespace nz::openapi
