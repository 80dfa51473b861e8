#include "tests/openapi/openapi.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace nz::openapi {
namespace {

using nlohmann::json;
using valijson::adapters::NlohmannJsonAdapter;

constexpr std::array kMethods{"get", "post", "put", "delete", "patch"};

json scalar(const YAML::Node& node) {
  const auto& text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted
  if (text == "true" || text == "false") return text == "true";
  if (text == "null" || text == "~") return nullptr;
  const json number = json::parse(text, nullptr, false);
  return number.is_number() ? number : json(text);
}

json to_json(const YAML::Node& node) {
  if (node.IsScalar()) return scalar(node);
  if (node.IsSequence()) {
    json result = json::array();
    for (const auto& child : node) result.push_back(to_json(child));
    return result;
  }
  json result = node.IsMap() ? json::object() : json();
  for (const auto& child : node) result[child.first.Scalar()] = to_json(child.second);
  return result;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// /a/{id} stands for /a/anything
bool fits(const std::string& pattern, const std::string& path) {
  const std::size_t brace = pattern.find('{');
  if (brace == std::string::npos) return pattern == path;
  return path.size() > brace && path.compare(0, brace, pattern, 0, brace) == 0 &&
         path.find('/', brace) == std::string::npos;
}

// The schema's references are relative to the document, so its components go with it.
std::string mismatch(const json& schema, const json& components, const json& instance) {
  const json whole{{"components", components}, {"allOf", json::array({schema})}};
  valijson::Schema compiled;
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(NlohmannJsonAdapter(whole), compiled);
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  valijson::ValidationResults results;
  if (validator.validate(compiled, NlohmannJsonAdapter(instance), &results)) return "";
  std::string text;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    for (const std::string& part : error.context) text += part;
    text += ": " + error.description + "\n";
  }
  return text.empty() ? "invalid" : text;
}

}  // namespace

Description::Description(const std::string& path) : document_(to_json(YAML::LoadFile(path))) {}

const json& Description::resolved(const json& node) const {
  if (!node.contains("$ref")) return node;
  return document_.at(json::json_pointer(node.at("$ref").get<std::string>().substr(1)));
}

std::string Description::template_of(const std::string& path) const {
  std::string plain = path.substr(0, path.find('?'));
  if (document_.at("paths").contains(plain)) return plain;
  for (const auto& [pattern, item] : document_.at("paths").items()) {
    if (fits(pattern, plain)) return pattern;
  }
  return "";
}

std::string Description::check(const std::string& method, const std::string& path, int status,
                               const std::string& content_type, const std::string& body) {
  const std::string pattern = template_of(path);
  if (pattern.empty()) return "no such path: " + path;
  const json& item = document_["paths"][pattern];
  if (!item.contains(lower(method))) {
    // A method that is not described can only be refused.
    if (status != 405) return method + " " + pattern + " is not described";
    return mismatch({{"$ref", "#/components/schemas/Problem"}}, document_["components"],
                    json::parse(body, nullptr, false));
  }
  const json& responses = item[lower(method)]["responses"];
  const std::string code = std::to_string(status);
  const bool own = responses.contains(code);
  if (!own && !(status >= 400 && responses.contains("default")))
    return code + " is not described for " + method + " " + pattern;
  seen_.insert(method + " " + pattern + " " + (own ? code : "default"));
  const json& response = resolved(responses[own ? code : "default"]);
  if (!response.contains("content")) return body.empty() ? "" : code + " must have no body";
  const std::string type = content_type.substr(0, content_type.find(';'));
  if (!response["content"].contains(type)) return "content type " + content_type;
  // Text is a string.
  const json parsed = type.ends_with("json") ? json::parse(body, nullptr, false) : json(body);
  if (parsed.is_discarded()) return "no JSON: " + body.substr(0, 200);
  return mismatch(response["content"][type]["schema"], document_["components"], parsed);
}

std::set<std::string> Description::operations() const {
  std::set<std::string> result;
  for (const auto& [path, item] : document_["paths"].items()) {
    for (const std::string method : kMethods) {
      if (!item.contains(method)) continue;
      std::string upper = method;
      for (char& c : upper) c = static_cast<char>(std::toupper(c));
      result.insert(upper + " " + path);
    }
  }
  return result;
}

std::set<std::string> Description::unseen() const {
  std::set<std::string> result;
  for (const std::string& operation : operations()) {
    const std::size_t space = operation.find(' ');
    const json& described =
        document_["paths"][operation.substr(space + 1)][lower(operation.substr(0, space))];
    for (const auto& [code, response] : described["responses"].items()) {
      std::string answer = operation;
      answer += " ";
      answer += code;
      if (!seen_.contains(answer)) result.insert(answer);
    }
  }
  return result;
}

std::set<std::string> Description::query_parameters(const std::string& method,
                                                    const std::string& path) const {
  std::set<std::string> names;
  const json& operation = document_["paths"][path][lower(method)];
  for (const json& parameter : operation.value("parameters", json::array())) {
    const json& p = resolved(parameter);
    if (p["in"] == "query") names.insert(p["name"].get<std::string>());
  }
  return names;
}

}  // namespace nz::openapi
