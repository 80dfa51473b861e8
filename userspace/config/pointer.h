// JSON pointers (RFC 6901) as text: "/targets/0/name". They name a place in a configuration in
// every module here, whether it came from a file, the environment or the command line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace nz::config {

std::string child(const std::string& pointer, std::string_view key);
std::string child(const std::string& pointer, std::size_t index);

/// The pointer of the enclosing map or list; "" for the root's children and for the root.
std::string parent(const std::string& pointer);

/// As a reader writes it: "targets[0].name"; the root is "the configuration".
std::string display(const std::string& pointer);

/// True when one is the other, or lies inside it.
bool related(std::string_view a, std::string_view b);

}  // namespace nz::config
