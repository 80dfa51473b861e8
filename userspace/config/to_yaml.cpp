#include <fmt/format.h>
#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>

#include "userspace/config/config.h"
#include "userspace/config/model.h"

namespace nz::config {
namespace {

void emit(YAML::Emitter& out, const nlohmann::ordered_json& value) {
  if (value.is_object()) {
    out << YAML::BeginMap;
    for (const auto& [key, item] : value.items()) {
      out << YAML::Key << key << YAML::Value;
      emit(out, item);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    out << (value.empty() ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
    for (const auto& item : value) emit(out, item);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    // Always quoted: the emitter would write the texts "true" and "123" bare, and they would come
    // back as something else.
    out << YAML::DoubleQuoted << value.get<std::string>();
  } else if (value.is_boolean()) {
    out << value.get<bool>();
  } else if (value.is_number_float()) {
    out << fmt::format("{}", value.get<double>());  // the shortest text that reads back the same
  } else if (value.is_number_unsigned()) {
    out << value.get<std::uint64_t>();
  } else {
    out << value.get<std::int64_t>();
  }
}

}  // namespace

std::string to_yaml(const Config& config) {
  YAML::Emitter out;
  emit(out, to_json(config));
  return std::string(out.c_str()) + '\n';
}

}  // namespace nz::config
