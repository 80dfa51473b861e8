// Exit codes of every subcommand; documented in README.md and `nearzero --help`.
#pragma once

namespace nz {

enum ExitCode {
  kOk = 0,
  kFailed = 1,          ///< something else; the message says what
  kUsage = 2,           ///< wrong command line
  kBadConfig = 3,       ///< configuration not valid
  kNoPrivilege = 4,     ///< needs root
  kUnsupported = 5,     ///< the kernel lacks what is needed (BTF)
  kAddressInUse = 6,    ///< listen address taken
  kAlreadyRunning = 7,  ///< another agent runs
  kNotRunning = 8,      ///< no agent to talk to
  kNotFound = 9,        ///< no such process, binary, symbol
  kRefused = 10,        ///< not safe, or dearer than allowed and not confirmed
};

}  // namespace nz
