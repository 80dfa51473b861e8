// Makes any bytes safe to expose. Label values come from command lines, file names and SQL text of
// other processes; one invalid byte among them makes Prometheus reject the whole scrape.
#pragma once

#include <string>
#include <string_view>

namespace nz::exposition {

/// `text` with every byte that is not part of valid UTF-8 (RFC 3629: no surrogates, no overlong
/// forms, nothing above U+10FFFF) and every NUL, which ends a line for Prometheus' parser, replaced
/// by U+FFFD. Valid text comes back unchanged.
std::string valid_utf8(std::string_view text);

/// `name` as a legal metric name ([a-zA-Z_:][a-zA-Z0-9_:]*): other bytes become '_'.
std::string valid_metric_name(std::string_view name);

/// `name` as a legal label name ([a-zA-Z_][a-zA-Z0-9_]*): other bytes become '_'.
std::string valid_label_name(std::string_view name);

}  // namespace nz::exposition
