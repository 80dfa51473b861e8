#include "userspace/config/origin.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace nz::config {
namespace {

constexpr const char* kForm =
    "write scheme, host and port, for instance \"https://desk.example:3000\"";

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

OriginMistake instead(std::string what, const std::string& right) {
  return {std::move(what), "write \"" + right + "\""};
}

/// The port behind the host, with its colon; npos: none. A colon inside [] is of an IPv6 address.
std::size_t port_at(std::string_view authority) {
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  return colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)
             ? colon
             : std::string_view::npos;
}

bool is_host(std::string_view host) {
  if (host.starts_with('['))
    return host.size() > 3 && host.ends_with(']') &&
           host.find_first_not_of("0123456789abcdef:.", 1) == host.size() - 1;
  return !host.empty() && host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._") ==
                              std::string_view::npos;
}

bool is_port(std::string_view digits) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && end == digits.data() + digits.size() && port > 0 &&
         port <= 65535 && digits.front() != '0';
}

}  // namespace

std::optional<OriginMistake> mistake_in_origin(std::string_view text) {
  if (text == "*")
    return OriginMistake{"would let every web page read the answers", "name each origin that may"};
  if (text == "null")
    return OriginMistake{"is the origin of any file and any sandbox",
                         "serve the page from a host, and name that"};
  const auto scheme_end = text.find("://");
  const std::string scheme = lower(text.substr(0, scheme_end));
  if (scheme_end == std::string_view::npos || (scheme != "http" && scheme != "https"))
    return OriginMistake{"does not begin with http:// or https://", kForm};
  const std::string_view behind = text.substr(scheme_end + 3);
  const std::string_view authority = behind.substr(0, behind.find_first_of("/?#"));
  const std::string up_to_port = scheme + "://" + lower(authority);
  if (authority.size() != behind.size())
    return instead("has something behind the host, which no origin has", up_to_port);
  if (text != up_to_port)
    return instead("has capital letters, which browsers do not send", up_to_port);
  if (authority.find('*') != std::string_view::npos)
    return OriginMistake{"is a pattern; origins are compared exactly", "name each origin that may"};
  if (authority.find('@') != std::string_view::npos)
    return OriginMistake{"has a user, which no origin has", kForm};
  const auto colon = port_at(authority);
  if (!is_host(authority.substr(0, colon))) return OriginMistake{"has no valid host", kForm};
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view port = authority.substr(colon + 1);
  if (!is_port(port)) return OriginMistake{"has no valid port", kForm};
  if (port == (scheme == "https" ? "443" : "80"))
    return instead("names the scheme's own port, which browsers leave out",
                   scheme + "://" + std::string(authority.substr(0, colon)));
  return std::nullopt;
}

}  // namespace nz::config
