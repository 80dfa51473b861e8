#include "userspace/config/config.h"

#include "userspace/config/document.h"
#include "userspace/config/model.h"
#include "userspace/config/pointer.h"
#include "userspace/config/problems.h"
#include "userspace/config/schema.h"
#include "userspace/config/semantics.h"

namespace nz::config {

Config defaults() { return {}; }

Result<Config> parse(std::string_view yaml, const std::string& name) {
  Problems problems;
  Document document;
  if (!read_document(yaml, name, document, problems)) return tl::unexpected(problems.error());

  const Locate locate = [&](const std::string& pointer, Part part) {
    return document.place(pointer, part);
  };
  validate(document.json, locate, problems);
  Config config = defaults();
  from_json(document.json, config);
  config.source = name;
  check_semantics(config, locate, problems);
  if (!problems.empty()) return tl::unexpected(problems.error());
  return config;
}

Result<void> check(const Config& config) {
  Problems problems;
  const Locate locate = [](const std::string& pointer, Part) { return Place{display(pointer)}; };
  validate(nlohmann::json(to_json(config)), locate, problems);
  check_semantics(config, locate, problems);
  if (!problems.empty()) return tl::unexpected(problems.error());
  return {};
}

}  // namespace nz::config
