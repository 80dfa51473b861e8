#include "userspace/report/host.h"

#include <sys/utsname.h>
#include <unistd.h>

namespace nz::report {

Host this_host(const std::string& version) {
  Host host;
  utsname names{};
  if (uname(&names) == 0) {
    host.name = names.nodename;
    host.kernel = names.release;
  }
  host.version = version;
  host.cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  const auto pages = static_cast<double>(sysconf(_SC_PHYS_PAGES));
  const auto size = static_cast<double>(sysconf(_SC_PAGESIZE));
  host.memory_bytes = pages > 0 && size > 0 ? pages * size : 0;
  return host;
}

}  // namespace nz::report
