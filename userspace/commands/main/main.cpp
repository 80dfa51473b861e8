// nearzero: one executable, subcommands (userspace/commands/).
#include <cstdio>
#include <exception>

#include "userspace/base/exit_codes.h"
#include "userspace/commands/command.h"

namespace {

int run(int argc, char** argv) {
  CLI::App app;
  const std::vector<nz::commands::Command> all = nz::commands::add_all(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? nz::kOk : nz::kUsage;
  }
  for (const auto& command : all) {
    if (command.app->parsed()) return command.run();
  }
  return nz::kUsage;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "nearzero: %s\n", e.what());
    return nz::kFailed;
  }
}
