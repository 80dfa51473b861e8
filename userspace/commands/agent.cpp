// nearzero agent: the daemon.
#include <fmt/format.h>

#include <memory>

#include "userspace/agent/agent.h"
#include "userspace/agent/http_options.h"
#include "userspace/base/exit_codes.h"
#include "userspace/base/log.h"
#include "userspace/commands/command.h"
#include "userspace/config/config.h"

namespace nz::commands {
namespace {

struct AgentOptions {
  std::string config_file, listen, log_level;
  bool check = false, print = false;
};

Result<config::Config> effective_config(const AgentOptions& options) {
  auto config = options.config_file.empty() ? Result<config::Config>(config::defaults())
                                            : config::load_file(options.config_file);
  if (!config) return config;
  auto environment = config::apply_environment(*config);
  if (!environment) return tl::unexpected(environment.error());
  if (!options.listen.empty()) config->listen = options.listen;
  if (!options.log_level.empty()) config->log.level = options.log_level;
  auto checked = config::check(*config);
  if (!checked) return tl::unexpected(checked.error());
  return config;
}

int run_agent(const AgentOptions& options) {
  const auto config = effective_config(options);
  if (!config) {
    fmt::print(stderr, "{}\n", config.error().text());
    return kBadConfig;
  }
  if (options.print) {
    fmt::print("{}", config::to_yaml(*config));
    return kOk;
  }
  // The address and the files that protect it: before anything is observed, and for --check-config.
  const auto protection = http::Server::check(agent::http_options(*config));
  if (!protection) {
    fmt::print(stderr, "{}\n", protection.error().text());
    return kBadConfig;
  }
  if (options.check) {
    fmt::print("{}: valid, {} target(s)\n",
               options.config_file.empty() ? "built-in defaults" : options.config_file,
               config->targets.size());
    return kOk;
  }
  auto log = base::start_logging(config->log.level, config->log.file);
  if (!log) {
    fmt::print(stderr, "{}\n", log.error().text());
    return kBadConfig;
  }
  return agent::run(*config, [options] { return effective_config(options); });
}

}  // namespace

Command add_agent(CLI::App& app) {
  auto options = std::make_shared<AgentOptions>();
  auto* sub = app.add_subcommand("agent", "Run the daemon: observe, and answer /metrics");
  sub->add_option("-c,--config", options->config_file, "YAML file; SIGHUP reads it again")
      ->envname("NEARZERO_CONFIG");
  sub->add_option("--listen", options->listen, "Address, default 127.0.0.1:9718");
  sub->add_option("--log-level", options->log_level, "trace, debug, info, warn, error, off");
  sub->add_flag("--check-config", options->check, "Check the configuration and exit");
  sub->add_flag("--print-config", options->print, "Print the effective configuration and exit");
  sub->footer(
      examples({{"nearzero agent --config /etc/nearzero/nearzero.yaml", ""},
                {"nearzero agent --config orders.yaml --check-config", ""},
                {"NEARZERO_LOG_LEVEL=debug nearzero agent --listen 127.0.0.1:9800", ""},
                {"kill -HUP $(cat /run/nearzero/agent.lock)", "reload the configuration"}}));
  return {sub, [options] { return run_agent(*options); }};
}

}  // namespace nz::commands
