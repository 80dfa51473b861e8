// nearzero top: see userspace/cli/top.h.
#include "userspace/cli/top.h"

#include <memory>

#include "userspace/commands/command.h"

namespace nz::commands {

Command add_top(CLI::App& app) {
  auto options = std::make_shared<cli::TopOptions>();
  auto* sub = app.add_subcommand("top", "Live table of latencies of the running agent");
  sub->add_option("--url", options->url, "Where the agent listens")
      ->envname("NEARZERO_URL")
      ->capture_default_str();
  sub->add_option("-i,--interval", options->interval, "Seconds between two tables")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  sub->add_option("-d,--duration", options->duration, "Seconds until it ends by itself")
      ->check(CLI::Range(0.1, 1e7));
  sub->add_flag("--once", options->once, "One table of everything since the agent's start");
  sub->footer(examples({{"nearzero top", ""},
                        {"nearzero top --once", ""},
                        {"nearzero top --interval 5 --duration 60 > latencies.txt", ""},
                        {"nearzero top --url http://127.0.0.1:9800", ""}}));
  return {sub, [options] { return cli::top(*options); }};
}

}  // namespace nz::commands
