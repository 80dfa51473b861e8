// The demo service's configuration, for the agents of pipeline tests.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace nz::pipeline {

/// configs/demo.yaml as shipped, but for this build's demo alone. `more`: further keys of the
/// target, each line indented by four.
inline std::string demo_yaml(const std::string& more = "") {
  std::ifstream in(std::string(NZ_SOURCE) + "/configs/demo.yaml");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const std::string from = "comm: nz-demo\n";
  const size_t at = text.find(from);
  if (at == std::string::npos) {
    ADD_FAILURE() << "configs/demo.yaml no longer matches by '" << from << "'";
    return text;
  }
  return text.replace(at, from.size(), "exe: " + std::string(NZ_WORKLOADS) + "/nz-demo\n" + more);
}

}  // namespace nz::pipeline
