#include "userspace/config/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <vector>

#include "userspace/config/nearest_key.h"
#include "userspace/config/pointer.h"
#include "userspace/config/schema.h"

namespace nz::config {
namespace {

using nlohmann::json;

const std::map<std::string, std::string>& type_words() {
  static const std::map<std::string, std::string> words = {
      {"string", "a text"},         {"integer", "a whole number"}, {"number", "a number"},
      {"boolean", "true or false"}, {"array", "a list"},           {"object", "a map"}};
  return words;
}

bool has_type(const json& value, const std::string& type) {
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  return type == "null" && value.is_null();
}

std::vector<std::string> types_of(const json& rule) {
  const auto type = rule.find("type");
  if (type == rule.end()) return {};
  if (type->is_string()) return {type->get<std::string>()};
  return type->get<std::vector<std::string>>();
}

std::vector<std::string> keys_of(const json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

/// Characters, as JSON schema counts the length of a string.
std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

/// Explains one value; holds what every rule needs, so that the rules stay short.
class Explainer {
 public:
  Explainer(const Schema& schema, const std::string& pointer, const json& rule, const json& value,
            const Locate& locate, Problems& problems)
      : schema_(schema),
        pointer_(pointer),
        rule_(rule),
        value_(value),
        locate_(locate),
        problems_(problems) {}

  int run() {
    if (!type()) return found_;  // nothing else makes sense then
    if (value_.is_object()) {
      unknown_keys();
      missing_keys();
      alternatives();
      length("", "maxProperties", "keys");
    } else if (value_.is_number()) {
      range();
    } else if (value_.is_string()) {
      text();
    } else if (value_.is_array()) {
      length("minItems", "maxItems", "entries");
    }
    enumeration();
    return found_;
  }

 private:
  void report(const std::string& what, std::string remedy) {
    report_at(pointer_, Part::kValue, what, std::move(remedy));
  }

  void report_at(const std::string& pointer, Part part, const std::string& what,
                 std::string remedy) {
    ++found_;
    problems_.add({locate_(pointer, part), pointer, what, std::move(remedy)});
  }

  [[nodiscard]] std::string here() const { return display(pointer_); }

  [[nodiscard]] std::string example() const {
    const auto examples = rule_.find("examples");
    if (examples == rule_.end() || examples->empty()) return {};
    const json& first = examples->front();
    if (first.is_structured()) return "write for instance `" + first.dump() + "`";
    return "write for instance " + first.dump();
  }

  bool type() {
    const auto types = types_of(rule_);
    if (types.empty() || std::any_of(types.begin(), types.end(),
                                     [&](const auto& t) { return has_type(value_, t); })) {
      return true;
    }
    std::vector<std::string> words;
    for (const auto& t : types) {
      if (t != "null") words.push_back(type_words().at(t));
    }
    report(fmt::format("{}: expected {}, found {}", here(), fmt::join(words, " or "),
                       in_words(value_)),
           type_remedy(types));
    return false;
  }

  [[nodiscard]] std::string type_remedy(const std::vector<std::string>& types) const {
    const auto allows = [&](const char* type) {
      return std::find(types.begin(), types.end(), type) != types.end();
    };
    if (allows("array") && value_.is_object()) return "begin each entry with '- '";
    if (value_.is_null())
      return example().empty() ? "remove the key" : example() + ", or remove the key";
    if (allows("boolean") && value_.is_string()) {
      static const std::set<std::string> yes = {"yes", "on", "y", "Yes", "On", "YES", "ON"};
      static const std::set<std::string> no = {"no", "off", "n", "No", "Off", "NO", "OFF"};
      const auto text = value_.get<std::string>();
      if (yes.count(text) > 0) return "write true";
      if (no.count(text) > 0) return "write false";
      return "write true or false, without quotes";
    }
    const bool scalar_for_text = allows("string") && (value_.is_number() || value_.is_boolean());
    // A duration lacks its unit; a name that looks like a number lacks its quotes.
    if (scalar_for_text && !rule_.contains("pattern"))
      return "put it in quotes: \"" + value_.dump() + "\"";
    if (rule_.contains("examples")) return example();
    return allows("array") ? "begin each entry with '- '" : "write `key: value` lines here";
  }

  void unknown_keys() {
    const auto properties = rule_.find("properties");
    if (properties == rule_.end() || rule_.value("additionalProperties", json(true)) != json(false))
      return;
    const auto known = keys_of(*properties);
    for (const auto& [key, value] : value_.items()) {
      if (properties->contains(key)) continue;
      const std::string nearest = nearest_key(key, known);
      std::string remedy = nearest.empty() ? fmt::format("known here: {}", fmt::join(known, ", "))
                                           : fmt::format("did you mean '{}'?", nearest);
      if (key == "<<") remedy = "merge keys are not supported: write the values out";
      report_at(child(pointer_, key), Part::kKey,
                fmt::format("unknown key {} in {}", in_quotes(key), here()), std::move(remedy));
    }
  }

  void missing_keys() {
    for (const auto& key : rule_.value("required", std::vector<std::string>())) {
      if (value_.contains(key)) continue;
      const std::string place = child(pointer_, key);
      const json& rule = resolve_example(key);
      report_at(place, Part::kValue, fmt::format("{}: '{}' is missing", here(), key),
                rule.is_null() ? "" : fmt::format("add for instance `{}: {}`", key, rule.dump()));
    }
    if (rule_.contains("minProperties") && value_.empty()) {
      report(fmt::format("{}: at least one condition is needed", here()),
             fmt::format("give one of {}", fmt::join(keys_of(rule_.at("properties")), ", ")));
    }
  }

  [[nodiscard]] const json& resolve_example(const std::string& key) const {
    static const json none;
    const json* rule = nullptr;
    if (const auto properties = rule_.find("properties"); properties != rule_.end()) {
      if (const auto found = properties->find(key); found != properties->end())
        rule = &schema_.resolve(*found);
    }
    if (rule == nullptr || !rule->contains("examples")) return none;
    return rule->at("examples").front();
  }

  /// `oneOf` whose branches differ by the keys that they require.
  void alternatives() {
    const auto branches = rule_.find("oneOf");
    if (branches == rule_.end()) return;
    std::vector<std::vector<std::string>> sets;
    std::vector<std::string> words;
    int touched = 0;
    int complete = 0;
    std::vector<std::string> present, missing;
    for (const json& branch : *branches) {
      sets.push_back(branch.value("required", std::vector<std::string>()));
      const auto& set = sets.back();
      words.push_back(fmt::format("'{}'", fmt::join(set, "' and '")));
      const auto count =
          std::count_if(set.begin(), set.end(), [&](const auto& k) { return value_.contains(k); });
      if (count == 0) continue;
      ++touched;
      if (count == static_cast<std::ptrdiff_t>(set.size())) ++complete;
      for (const auto& key : set) (value_.contains(key) ? present : missing).push_back(key);
    }
    if (touched == 1 && complete == 1) return;
    const std::string needs = fmt::format("give either {}", fmt::join(words, ", or "));
    if (touched == 0) {
      report(fmt::format("{}: needs {}", here(), fmt::join(words, ", or ")), needs);
    } else if (touched == 1) {
      report_at(child(pointer_, present.front()), Part::kKey,
                fmt::format("{}: '{}' without '{}'", here(), present.front(), missing.front()),
                fmt::format("add `{}:`", missing.front()));
    } else {
      report_at(child(pointer_, present.back()), Part::kKey,
                fmt::format("{}: '{}' exclude each other", here(), fmt::join(present, "' and '")),
                needs);
    }
  }

  void length(const char* least, const char* most, const char* what) {
    const std::size_t size = value_.size();
    if (size < rule_.value(least, std::size_t{0})) {
      report(fmt::format("{}: {} {}, at least {} are needed", here(), size, what,
                         rule_.at(least).dump()),
             example());
    } else if (size > rule_.value(most, size)) {
      report(fmt::format("{}: {} {}, at most {} are allowed", here(), size, what,
                         rule_.at(most).dump()),
             "remove some");
    }
  }

  void range() {
    const double value = value_.get<double>();
    const auto low = rule_.find("minimum");
    const auto above = rule_.find("exclusiveMinimum");
    const auto high = rule_.find("maximum");
    const bool bad = (low != rule_.end() && value < low->get<double>()) ||
                     (above != rule_.end() && value <= above->get<double>()) ||
                     (high != rule_.end() && value > high->get<double>());
    if (!bad) return;
    std::string bounds = low != rule_.end()     ? fmt::format("at least {}", low->dump())
                         : above != rule_.end() ? fmt::format("above {}", above->dump())
                                                : std::string();
    if (high != rule_.end()) {
      bounds += fmt::format("{}at most {}", bounds.empty() ? "" : " and ", high->dump());
    }
    report(fmt::format("{}: {} is out of range, must be {}", here(), value_.dump(), bounds),
           example());
  }

  void text() {
    const auto text = value_.get<std::string>();
    const std::size_t length = characters(text);
    if (length < rule_.value("minLength", std::size_t{0})) {
      report(text.empty() ? here() + ": is empty"
                          : fmt::format("{}: {} is too short", here(), in_quotes(text)),
             example() + ", or remove the key");
    } else if (length > rule_.value("maxLength", text.size())) {
      report(fmt::format("{}: a text of {} characters, at most {} are allowed", here(), length,
                         rule_.at("maxLength").dump()),
             "shorten it");
    }
    // The schema's patterns bound what they consume, so that the recursion of std::regex is
    // bounded.
    if (const auto pattern = rule_.find("pattern"); pattern != rule_.end()) {
      if (!std::regex_search(text, std::regex(pattern->get<std::string>()))) {
        report(fmt::format("{}: {} is not {}", here(), in_quotes(text),
                           rule_.value("patternErrorMessage", "of the form " + pattern->dump())),
               example());
      }
    }
  }

  void enumeration() {
    const auto choices = rule_.find("enum");
    if (choices == rule_.end() ||
        std::find(choices->begin(), choices->end(), value_) != choices->end())
      return;
    std::vector<std::string> words, texts;
    for (const json& choice : *choices) {
      words.push_back(choice.is_string() ? choice.get<std::string>() : choice.dump());
      if (choice.is_string()) texts.push_back(words.back());
    }
    const std::string nearest =
        value_.is_string() ? nearest_key(value_.get<std::string>(), texts) : "";
    report(fmt::format("{}: {} is not one of {}", here(),
                       value_.is_string() ? in_quotes(value_.get<std::string>()) : value_.dump(),
                       fmt::join(words, ", ")),
           nearest.empty() ? example() : fmt::format("did you mean '{}'?", nearest));
  }

  const Schema& schema_;
  const std::string& pointer_;
  const json& rule_;
  const json& value_;
  const Locate& locate_;
  Problems& problems_;
  int found_ = 0;
};

}  // namespace

std::string in_words(const json& value) {
  if (value.is_null()) return "nothing";
  if (value.is_object()) return "a map";
  if (value.is_array()) return "a list";
  if (value.is_boolean()) return value.dump();
  if (value.is_number()) return "the number " + value.dump();
  return "the text " + in_quotes(value.get<std::string>());
}

int explain(const Schema& schema, const std::string& pointer, const json& rule, const json& value,
            const Locate& locate, Problems& problems) {
  return Explainer(schema, pointer, rule, value, locate, problems).run();
}

}  // namespace nz::config
