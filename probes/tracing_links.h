// The links of a probe's programs on tracepoints: what cannot be attached here is left out, and why
// is said.
#pragma once

#include <initializer_list>
#include <map>
#include <string>

#include "userspace/base/fd.h"
#include "userspace/loader/object.h"

namespace nz::probes {

class TracingLinks {
 public:
  explicit TracingLinks(loader::Object& object) : object_(object) {}

  /// Attaches those of `programs` that are not, in this order.
  void attach(std::initializer_list<const char*> programs);
  void close() { links_.clear(); }
  void close(const std::string& program) { links_.erase(program); }

  [[nodiscard]] bool contains(const std::string& program) const { return links_.contains(program); }
  [[nodiscard]] bool none() const { return links_.empty(); }
  /// "; program: reason" for each that could not be attached.
  [[nodiscard]] std::string failures() const;

 private:
  loader::Object& object_;
  std::map<std::string, Fd> links_;
  std::map<std::string, std::string> failures_;
};

}  // namespace nz::probes
