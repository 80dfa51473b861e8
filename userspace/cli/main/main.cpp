// nearzero: one executable, subcommands. This file only parses the command line.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>

#include "userspace/agent/agent.h"
#include "userspace/agent/exit_codes.h"
#include "userspace/agent/instance.h"
#include "userspace/base/log.h"
#include "userspace/cli/top.h"
#include "userspace/config/config.h"

namespace {

using namespace nz;

constexpr const char* kFooter = R"(
Examples:
  nearzero agent                                   observe the host alone
  nearzero agent --config /etc/nearzero/nearzero.yaml
  nearzero agent --config orders.yaml --check-config
  nearzero top                                     live table of the running agent
  nearzero off                                     detach everything at once
  curl -s http://127.0.0.1:9718/metrics

Exit codes: 0 done, 1 failed, 2 wrong command line, 3 configuration not valid, 4 no privilege,
5 kernel lacks what is needed, 6 listen address in use, 7 another agent runs, 8 no agent runs.)";

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

int agent_command(const AgentOptions& options) {
  const auto config = effective_config(options);
  if (!config) {
    fmt::print(stderr, "{}\n", config.error().text());
    return agent::kBadConfig;
  }
  if (options.print) {
    fmt::print("{}", config::to_yaml(*config));
    return agent::kOk;
  }
  if (options.check) {
    fmt::print("{}: valid, {} target(s)\n",
               options.config_file.empty() ? "built-in defaults" : options.config_file,
               config->targets.size());
    return agent::kOk;
  }
  auto log = base::start_logging(config->log.level, config->log.file);
  if (!log) {
    fmt::print(stderr, "{}\n", log.error().text());
    return agent::kBadConfig;
  }
  return agent::run(*config, [options] { return effective_config(options); });
}

int control_command(const std::string& runtime_dir, const std::string& command) {
  const auto answer = agent::send_command(runtime_dir, command);
  if (!answer) {
    fmt::print(stderr, "nearzero {}: {}\n", command, answer.error().text());
    return agent::kNotRunning;
  }
  fmt::print("{}", *answer);
  return answer->starts_with("error") ? agent::kFailed : agent::kOk;
}

int run(int argc, char** argv) {
  CLI::App app{
      "nearzero tells where the time of an order went, on a live host, at near-zero overhead."};
  app.footer(kFooter);
  app.require_subcommand(1);
  app.set_version_flag("--version", "nearzero " NZ_VERSION);

  AgentOptions agent_options;
  auto* agent_app = app.add_subcommand("agent", "Run the daemon: observe, and answer /metrics");
  agent_app
      ->add_option("-c,--config", agent_options.config_file, "YAML file; SIGHUP reads it again")
      ->envname("NEARZERO_CONFIG");
  agent_app->add_option("--listen", agent_options.listen, "Address, default 127.0.0.1:9718");
  agent_app->add_option("--log-level", agent_options.log_level,
                        "trace, debug, info, warn, error, off");
  agent_app->add_flag("--check-config", agent_options.check, "Check the configuration and exit");
  agent_app->add_flag("--print-config", agent_options.print,
                      "Print the effective configuration and exit");
  agent_app->footer(R"(
Examples:
  nearzero agent --config /etc/nearzero/nearzero.yaml
  nearzero agent --config orders.yaml --check-config
  NEARZERO_LOG_LEVEL=debug nearzero agent --listen 127.0.0.1:9800
  kill -HUP $(cat /run/nearzero/agent.lock)        reload the configuration)");

  std::string runtime_dir = "/run/nearzero";
  std::map<CLI::App*, std::string> control;
  const auto add_control = [&](const char* name, const char* help, const char* example) {
    auto* sub = app.add_subcommand(name, help);
    sub->add_option("--runtime-dir", runtime_dir, "Folder of the agent's socket")
        ->envname("NEARZERO_RUNTIME_DIR")
        ->capture_default_str();
    sub->footer(std::string("\nExamples:\n") + example);
    control[sub] = name;
  };
  add_control("off", "Detach everything at once; the agent goes on running",
              "  nearzero off\n  nearzero off && nearzero status | head -1");
  add_control("on", "Attach again after `off` or after the breaker tripped",
              "  nearzero on\n  nearzero on --runtime-dir /run/nearzero");
  add_control("status", "What is attached, what is not and why (JSON)",
              "  nearzero status\n  nearzero status | jq '.probes[] | select(.attached | not)'");

  cli::TopOptions top_options;
  auto* top_app = app.add_subcommand("top", "Live table of latencies of the running agent");
  top_app->add_option("--url", top_options.url, "Where the agent listens")
      ->envname("NEARZERO_URL")
      ->capture_default_str();
  top_app->add_option("-i,--interval", top_options.interval, "Seconds between two tables")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  top_app->add_option("-d,--duration", top_options.duration, "Seconds until it ends by itself")
      ->check(CLI::Range(0.1, 1e7));
  top_app->add_flag("--once", top_options.once, "One table of everything since the agent's start");
  top_app->footer(R"(
Examples:
  nearzero top
  nearzero top --once
  nearzero top --interval 5 --duration 60 > latencies.txt
  nearzero top --url http://127.0.0.1:9800)");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? agent::kOk : agent::kUsage;
  }
  if (agent_app->parsed()) return agent_command(agent_options);
  if (top_app->parsed()) return cli::top(top_options);
  for (const auto& [sub, name] : control) {
    if (sub->parsed()) return control_command(runtime_dir, name);
  }
  return agent::kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "nearzero: %s\n", e.what());
    return agent::kFailed;
  }
}
