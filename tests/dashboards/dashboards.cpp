#include "tests/dashboards/dashboards.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>

namespace nz::dashboards {

using nlohmann::json;

std::vector<json> Dashboard::panels() const {
  std::vector<json> all;
  for (const json& panel : root.at("panels")) {
    if (panel.at("type") != "row") all.push_back(panel);
  }
  return all;
}

std::vector<Expression> Dashboard::expressions() const {
  std::vector<Expression> all;
  for (const auto& panel : panels()) {
    for (const auto& target : panel.at("targets")) {
      all.push_back({file + ": " + panel.at("title").get<std::string>() + " " +
                         target.at("refId").get<std::string>(),
                     target.at("expr").get<std::string>()});
    }
  }
  return all;
}

std::map<std::string, std::string> Dashboard::variables() const {
  std::map<std::string, std::string> all;
  for (const auto& variable : root.at("templating").at("list")) {
    if (variable.at("type") == "query") all[variable.at("name")] = variable.at("definition");
  }
  return all;
}

std::vector<Dashboard> shipped() {
  std::vector<Dashboard> all;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(NZ_SOURCE) + "/configs/grafana")) {
    if (entry.path().extension() != ".json") continue;
    const std::string file = entry.path().filename();
    all.push_back({file, json::parse(repository_file("configs/grafana/" + file))});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.file < b.file; });
  return all;
}

std::string repository_file(const std::string& path) {
  std::ifstream in(std::string(NZ_SOURCE) + "/" + path);
  if (!in) ADD_FAILURE() << "cannot read " << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string with_variables(std::string promql, const std::map<std::string, std::string>& values,
                           const std::string& window) {
  promql =
      std::regex_replace(promql, std::regex(R"(\$__(rate_interval|interval|range)\b)"), window);
  for (const auto& [name, value] : values) {
    promql = std::regex_replace(promql, std::regex("\\$" + name + "\\b"), value);
  }
  return promql;
}

std::set<std::string> metrics_of(const std::string& promql) {
  // Without texts: a label's value may look like a name.
  const std::string bare = std::regex_replace(promql, std::regex("\"[^\"]*\""), "\"\"");
  static const std::regex kName("[a-zA-Z_:][a-zA-Z0-9_:]*");
  std::set<std::string> all;
  for (std::sregex_iterator i(bare.begin(), bare.end(), kName), end; i != end; ++i) {
    const std::string name = i->str();
    if (name.starts_with("nearzero_") || name.find(":nearzero_") != std::string::npos)
      all.insert(name);
  }
  return all;
}

std::string family_of(const std::string& metric) {
  return std::regex_replace(metric, std::regex("_(bucket|sum|count)$"), "");
}

std::vector<std::string> records_of(const std::string& yaml) {
  static const std::regex kRecord("- record: (\\S+)");
  std::vector<std::string> all;
  for (std::sregex_iterator i(yaml.begin(), yaml.end(), kRecord), end; i != end; ++i)
    all.push_back((*i)[1]);
  return all;
}

}  // namespace nz::dashboards
