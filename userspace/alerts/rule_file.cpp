#include "userspace/alerts/rule_file.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "userspace/alerts/json_fields.h"
#include "userspace/alerts/rule_reader.h"
#include "userspace/config/document.h"
#include "userspace/config/nearest_key.h"
#include "userspace/config/pointer.h"
#include "userspace/config/schema.h"
#include "userspace/config/text_file.h"
#include "userspace/http/secret_file.h"

namespace nz::alerts {
namespace {

using config::child;
using config::in_quotes;
using nlohmann::json;

constexpr std::size_t kMostProblems = 100;
constexpr std::size_t kMostRules = 256;  // as in the schema

const config::Schema& rule_schema() {
  static const config::Schema* const result = new config::Schema(rule_schema_text());
  return *result;
}

void list(const config::Problems& problems, std::vector<std::string>& out) {
  std::vector<config::Problem> sorted = problems.all();
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
  for (const config::Problem& problem : sorted) {
    if (out.size() == kMostProblems) {
      out.push_back("... and more");
      return;
    }
    out.push_back(Error{problem.place.text + ": " + problem.what, problem.remedy}.text());
  }
}

/// Whether something is wrong with the value at `at` itself or inside it, not around it.
bool is_wrong(const config::Problems& problems, const std::string& at) {
  return std::any_of(problems.all().begin(), problems.all().end(), [&](const config::Problem& p) {
    return p.pointer.size() >= at.size() && config::related(p.pointer, at);
  });
}

class File {
 public:
  File(const config::Document& document, config::Problems& problems)
      : document_(document),
        problems_(problems),
        locate_([&document](const std::string& pointer, config::Part part) {
          return document.place(pointer, part);
        }) {}

  void read(RuleFile& out) {
    rule_schema().validate(document_.json, locate_, problems_);
    const json& receivers = member(document_.json, "receivers");
    for (std::size_t i = 0; receivers.is_array() && i < receivers.size(); i++) {
      const std::string at = child("/receivers", i);
      Receiver receiver = read_receiver(receivers[i]);
      unique(receiver.name, child(at, "name"), "receiver");
      if (!is_wrong(problems_, at)) keep_secrets(receiver, at);
      if (!is_wrong(problems_, at)) {
        out.receivers.push_back(std::move(receiver));
      } else if (!receiver.name.empty()) {
        out.bad_receivers.push_back(receiver.name);
      }
    }
    names_.clear();
    const json& rules = member(document_.json, "rules");
    for (std::size_t i = 0; rules.is_array() && i < rules.size(); i++) {
      if (i == kMostRules) {  // the schema has said so
        out.bad_rules += rules.size() - i;
        break;
      }
      const std::string at = child("/rules", i);
      Rule rule = read_rule(rules[i], at, locate_, problems_);
      unique(rule.name, child(at, "name"), "rule");
      bool enabled = true;
      set(member(rules[i], "enabled"), enabled);
      if (is_wrong(problems_, at)) {
        out.bad_rules++;
      } else if (enabled) {
        out.rules.push_back(std::move(rule));
      }
    }
  }

 private:
  // A token or password is sent with each request.
  void keep_secrets(const Receiver& receiver, const std::string& at) {
    if (receiver.token_file.empty() && receiver.user.empty()) return;
    const bool webhook = receiver.kind == Receiver::Kind::webhook;
    for (std::size_t i = 0; i < receiver.urls.size(); i++) {
      if (!http::can_be_overheard(receiver.urls[i])) continue;
      const std::string where = webhook ? child(child(at, "webhook"), "url")
                                        : child(child(child(at, "alertmanager"), "urls"), i);
      problems_.add({locate_(where, config::Part::kValue), where,
                     in_quotes(receiver.urls[i]) +
                         " would get a token or password that everybody on the way can read",
                     "use https, or a receiver on this host"});
    }
  }

  void unique(const std::string& name, const std::string& at, const char* what) {
    if (name.empty()) return;
    const auto [first, fresh] = names_.emplace(name, at);
    if (fresh || problems_.concern(at)) return;
    problems_.add({locate_(at, config::Part::kValue), at,
                   "duplicate " + std::string(what) + " " + in_quotes(name) + ", first at " +
                       locate_(first->second, config::Part::kValue).text,
                   "rename one of them"});
  }

  const config::Document& document_;
  config::Problems& problems_;
  const config::Locate locate_;
  std::map<std::string, std::string> names_;
};

/// Rules that name receivers which no file has. One with a mistake in it stops no rule, nor does a
/// file that may have it and cannot be read: what fires is logged, and told to the others.
void check_receivers(RuleFile& file) {
  if (!file.readable) return;
  std::vector<std::string> known = file.bad_receivers;
  for (const Receiver& receiver : file.receivers) known.push_back(receiver.name);
  const auto unknown = [&](const Rule& rule) {
    for (const std::string& name : rule.receivers) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      const std::string nearest = config::nearest_key(name, known);
      file.problems.push_back(
          Error{rule.source + ": rule '" + rule.name + "' has no receiver " + in_quotes(name),
                nearest.empty() ? "add it to `receivers`" : "did you mean '" + nearest + "'?"}
              .text());
      return true;
    }
    return false;
  };
  file.bad_rules += std::erase_if(file.rules, unknown);
}

RuleFile parse_one(std::string_view yaml, const std::string& name) {
  RuleFile out;
  out.name = name;
  config::Problems problems;
  config::Document document;
  out.readable = config::read_document(yaml, name, document, problems);
  if (out.readable) File(document, problems).read(out);
  list(problems, out.problems);
  return out;
}

}  // namespace

RuleFile parse_rules(std::string_view yaml, const std::string& name) {
  RuleFile out = parse_one(yaml, name);
  check_receivers(out);
  return out;
}

RuleFile load_rules(const std::vector<std::string>& paths) {
  RuleFile all;
  std::map<std::string, std::string> rules, receivers;
  for (const std::string& path : paths) {
    all.name += (all.name.empty() ? "" : ", ") + path;
    auto text = config::read_text_file(path);
    if (!text) {
      all.readable = false;
      all.problems.push_back(text.error().text());
      continue;
    }
    RuleFile one = parse_one(*text, path);
    all.readable = all.readable && one.readable;
    all.bad_rules += one.bad_rules;
    all.bad_receivers.insert(all.bad_receivers.end(), one.bad_receivers.begin(),
                             one.bad_receivers.end());
    all.problems.insert(all.problems.end(), one.problems.begin(), one.problems.end());
    for (Rule& rule : one.rules) {
      const auto [first, fresh] = rules.emplace(rule.name, rule.source);
      if (fresh) {
        all.rules.push_back(std::move(rule));
        continue;
      }
      all.bad_rules++;
      all.problems.push_back(
          Error{rule.source + ": duplicate rule '" + rule.name + "', first at " + first->second,
                "rename one of them"}
              .text());
    }
    for (Receiver& receiver : one.receivers) {
      const auto [first, fresh] = receivers.emplace(receiver.name, path);
      if (fresh) {
        all.receivers.push_back(std::move(receiver));
        continue;
      }
      all.problems.push_back(
          Error{path + ": duplicate receiver '" + receiver.name + "', first in " + first->second,
                "rename one of them"}
              .text());
    }
  }
  check_receivers(all);
  return all;
}

}  // namespace nz::alerts
