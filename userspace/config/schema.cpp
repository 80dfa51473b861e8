#include "userspace/config/schema.h"

#include <algorithm>
#include <map>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "userspace/config/config.h"
#include "userspace/config/explain.h"
#include "userspace/config/pointer.h"
#include "userspace/config/text_check.h"

namespace nz::config {
namespace {

using valijson::adapters::NlohmannJsonAdapter;

/// valijson names a place as {"<root>", "[targets]", "[0]", "[name]"}.
std::string to_pointer(const std::vector<std::string>& context) {
  std::string pointer;
  for (std::size_t i = 1; i < context.size(); ++i) {
    const std::string_view token = context[i];
    pointer = child(pointer, token.substr(1, token.size() - 2));
  }
  return pointer;
}

/// Calls `visit` with each key or index of a pointer, unescaped, until it returns false.
template <class Visit>
void each_token(const std::string& pointer, Visit visit) {
  const nlohmann::json::json_pointer parsed(pointer);
  std::vector<std::string> tokens;
  for (auto at = parsed; !at.empty(); at.pop_back()) tokens.push_back(at.back());
  std::reverse(tokens.begin(), tokens.end());
  for (const std::string& token : tokens) {
    if (!visit(token)) return;
  }
}

/// Whether all texts are UTF-8, which those of flags and environment variables may not be; reports
/// those that are not. valijson must not see them: it reads beyond their end (u8_nextchar).
bool is_text(const nlohmann::json& value, const std::string& pointer, const Locate& locate,
             Problems& problems) {
  bool good = true;
  if (value.is_structured()) {
    for (const auto& [key, item] : value.items()) {
      good &= is_text(item, child(pointer, key), locate, problems);
    }
  } else if (value.is_string()) {
    if (const auto problem = check_text(value.get_ref<const std::string&>())) {
      problems.add({locate(pointer, Part::kValue), pointer, display(pointer) + ": " + problem->what,
                    "write it in UTF-8"});
      good = false;
    }
  }
  return good;
}

}  // namespace

struct Schema::Compiled {
  valijson::Schema schema;
};

Schema::Schema(std::string_view text) : root_(nlohmann::json::parse(text)) {
  auto compiled = std::make_unique<Compiled>();
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(NlohmannJsonAdapter(root_), compiled->schema);
  compiled_ = std::move(compiled);
}

Schema::~Schema() = default;

const nlohmann::json& Schema::resolve(const nlohmann::json& node) const {
  const nlohmann::json* at = &node;
  while (at->contains("$ref")) {
    // "#/definitions/name": a fragment that is a JSON pointer into this document.
    at = &root_.at(nlohmann::json::json_pointer(at->at("$ref").get<std::string>().substr(1)));
  }
  return *at;
}

const nlohmann::json* Schema::step(const nlohmann::json& rule, const std::string& token) const {
  const auto properties = rule.find("properties");
  if (properties != rule.end()) {
    const auto found = properties->find(token);
    if (found != properties->end()) return &resolve(*found);
  }
  // A map whose keys are free: all its values have one schema.
  const auto others = rule.find("additionalProperties");
  if (others != rule.end() && others->is_object()) return &resolve(*others);
  if (properties != rule.end()) return nullptr;
  const auto items = rule.find("items");
  return items == rule.end() ? nullptr : &resolve(*items);
}

const nlohmann::json* Schema::at(const std::string& pointer) const {
  const nlohmann::json* rule = &root_;
  each_token(pointer, [&](const std::string& token) {
    rule = step(*rule, token);
    return rule != nullptr;
  });
  return rule;
}

void Schema::validate(const nlohmann::json& json, const Locate& locate, Problems& problems) const {
  if (!is_text(json, "", locate, problems)) return;
  valijson::ValidationResults results;
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  if (validator.validate(compiled_->schema, NlohmannJsonAdapter(json), &results)) return;

  // The validator repeats a failure at every enclosing map and list. explain() looks at one place
  // only, so asking it about each place named gives each violation once.
  std::map<std::string, std::string> places;
  for (const auto& error : results) places.emplace(to_pointer(error.context), error.description);
  bool explained = false;
  for (const auto& [pointer, description] : places) {
    const nlohmann::json* rule = at(pointer);
    const nlohmann::json::json_pointer place(pointer);
    if (rule != nullptr && json.contains(place)) {
      explained |= explain(*this, pointer, *rule, json.at(place), locate, problems) > 0;
    }
  }
  if (!explained) {  // a keyword that explain() does not know: say it in the validator's words
    const auto& [pointer, description] = *places.rbegin();
    problems.add(
        {locate(pointer, Part::kValue), pointer, display(pointer) + ": " + description, ""});
  }
}

const Schema& configuration_schema() {
  static const Schema* const result = new Schema(schema_text());  // lives as long as the process
  return *result;
}

const nlohmann::json& schema() { return configuration_schema().root(); }

const nlohmann::json& resolve(const nlohmann::json& node) {
  return configuration_schema().resolve(node);
}

const nlohmann::json* schema_at(const std::string& pointer) {
  return configuration_schema().at(pointer);
}

void validate(const nlohmann::json& json, const Locate& locate, Problems& problems) {
  configuration_schema().validate(json, locate, problems);
}

}  // namespace nz::config
