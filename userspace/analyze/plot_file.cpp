#include "userspace/analyze/plot_file.h"

#include <sys/stat.h>
#include <unistd.h>

namespace nz::analyze {

bool overwrites(const std::string& plot, const std::string& file) {
  struct stat out {
  }, in{};
  if (stat(plot.c_str(), &out) != 0 || !S_ISREG(out.st_mode)) return false;
  const int asked = file == "-" ? fstat(STDIN_FILENO, &in) : stat(file.c_str(), &in);
  return asked == 0 && in.st_dev == out.st_dev && in.st_ino == out.st_ino;
}

}  // namespace nz::analyze
