// func: and usdt: targets as places to attach to.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/fd.h"
#include "userspace/loader/object.h"
#include "userspace/observe/calibrate.h"
#include "userspace/trace/request.h"

namespace nz::trace {

/// One function or USDT pair: a row of the output.
struct CallKind {
  std::string name;
  std::string target;  ///< "func" or "usdt"
  double ns = 0;       ///< estimated cost of one call
  bool timed = true;   ///< false: only its beginning is seen
};

/// Where one program goes in one file.
struct CallProbe {
  std::string program, path;
  std::vector<loader::UprobeSite> sites;
};

struct Calls {
  std::vector<CallKind> kinds;     ///< by index, NZ_MAX_CALL_KINDS at most
  std::vector<CallProbe> probes;   ///< ends before beginnings
  std::vector<std::string> notes;  ///< what is seen in part only, and why
  std::vector<Fd> files;           ///< keep the files that the paths name
  /// Beginnings, one for each kind, to count before tracing: path -> (offset, index).
  std::map<std::string, std::vector<std::pair<uint64_t, uint32_t>>> beginnings;
};

/// Finds the functions and probes of the request's targets and chooses where to attach. `pid`: the
/// one process that is traced, if it is one. Errors: what is not there (nearest names in the
/// remedy), too many, nothing that can be probed.
Result<Calls> find_calls(const Request& request, std::optional<pid_t> pid,
                         const observe::Prices& prices);

}  // namespace nz::trace
