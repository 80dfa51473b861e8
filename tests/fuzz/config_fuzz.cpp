// A configuration file, and environment variables over it.
#include "tests/fuzz/input.h"
#include "userspace/config/config.h"

using nz::config::Config;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  nz::fuzz::Input input(data, size);
  // The first line is the value of one environment variable, chosen by its first byte.
  const auto variables = nz::config::environment_variables();
  const std::string& variable = variables[input.byte() % variables.size()].name;
  const std::string value = input.line();
  auto config = nz::config::parse(input.rest(), "fuzz.yaml");
  if (!config) {
    nz::fuzz::require(config.error().what.find("fuzz.yaml") != std::string::npos,
                      "an error names its file");
    return 0;
  }
  nz::fuzz::require(nz::config::check(*config).has_value(), "what parse() accepts passes check()");
  const std::string yaml = nz::config::to_yaml(*config);
  const auto again = nz::config::parse(yaml, "fuzz.yaml");
  nz::fuzz::require(again.has_value(), "parse() accepts what to_yaml() wrote");
  nz::fuzz::require(*again == *config, "to_yaml() and parse() are inverse");

  const Config before = *config;
  const auto applied = nz::config::apply_environment(
      *config, [&](const std::string& name) -> auto{
        return name == variable ? std::optional<std::string>(value) : std::nullopt;
      });
  nz::fuzz::require(applied.has_value() || *config == before,
                    "a bad variable leaves the configuration unchanged");
  return 0;
}
