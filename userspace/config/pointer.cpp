#include "userspace/config/pointer.h"

#include <algorithm>
#include <cctype>

namespace nz::config {

std::string child(const std::string& pointer, std::string_view key) {
  std::string out = pointer + '/';
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string child(const std::string& pointer, std::size_t index) {
  return pointer + '/' + std::to_string(index);
}

std::string parent(const std::string& pointer) {
  const auto slash = pointer.rfind('/');
  return slash == std::string::npos ? std::string() : pointer.substr(0, slash);
}

std::string display(const std::string& pointer) {
  if (pointer.empty()) return "the configuration";
  std::string out;
  std::size_t begin = 1;
  while (begin <= pointer.size()) {
    std::size_t end = pointer.find('/', begin);
    if (end == std::string::npos) end = pointer.size();
    std::string token = pointer.substr(begin, end - begin);
    begin = end + 1;
    const bool index =
        !token.empty() && std::all_of(token.begin(), token.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
    if (index) {
      out += '[' + token + ']';
      continue;
    }
    for (std::size_t i = 0; (i = token.find('~', i)) != std::string::npos; ++i) {
      token.replace(i, 2, token.compare(i, 2, "~1") == 0 ? "/" : "~");
    }
    if (!out.empty()) out += '.';
    out += token;
  }
  return out;
}

bool related(std::string_view a, std::string_view b) {
  if (a.size() > b.size()) std::swap(a, b);
  return b.substr(0, a.size()) == a && (a.size() == b.size() || b[a.size()] == '/');
}

}  // namespace nz::config
