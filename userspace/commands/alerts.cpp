// nearzero alerts: rules checked, tried on recorded history and written for Prometheus; what fires
// in the running agent, and silences.
#include <vector>

#include "userspace/base/exit_codes.h"
#include "userspace/commands/alerts_subcommands.h"

namespace nz::commands {

Command add_alerts(CLI::App& app) {
  auto* sub = app.add_subcommand(
      "alerts", "Alert rules: check, test on history, for Prometheus; what fires, and silences");
  sub->require_subcommand(1);
  const std::vector<Command> inner = {add_alerts_check(*sub), add_alerts_test(*sub),
                                      add_alerts_list(*sub), add_alerts_silence(*sub),
                                      add_alerts_prometheus(*sub)};
  sub->footer(examples(
      {{"nearzero alerts check /etc/nearzero/alerts.yaml", "all mistakes, with place and remedy"},
       {"nearzero alerts test /etc/nearzero/alerts.yaml", "what would have fired"},
       {"nearzero alerts list", "pending, firing, lately resolved"},
       {"nearzero alerts silence 'alertname=\"OrdersSlow\"' --for 2h", ""},
       {"nearzero alerts silence --list", ""},
       {"nearzero alerts prometheus /etc/nearzero/alerts.yaml", "for promtool and Prometheus"}},
      "Each subcommand has its own --help."));
  return {sub, [inner]() -> int {
            for (const Command& command : inner) {
              if (command.app->parsed()) return command.run();
            }
            return kUsage;
          }};
}

}  // namespace nz::commands
