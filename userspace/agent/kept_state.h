// One state of the agent in the store, by name: read at start, written as it changes. What is lost
// is logged.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "userspace/base/result.h"
#include "userspace/store/store.h"

namespace nz::agent {

class KeptState {
 public:
  /// `store`: null where nothing is kept on disk; outlives this. `what`: for the log, in the
  /// plural: "regressions".
  KeptState(store::Store* store, std::string key, std::string what)
      : store_(store), key_(std::move(key)), what_(std::move(what)) {}

  /// What `restore` makes of what an agent before this one wrote; nothing: there is none, or it
  /// cannot be read or is of another version, which is logged.
  template <class T>
  std::optional<T> read(Result<T> (*restore)(std::string_view)) const {
    const auto saved = find();
    if (!saved) return std::nullopt;
    auto known = restore(*saved);
    if (known) return std::move(*known);
    lost(known.error());
    return std::nullopt;
  }

  /// The same for what takes it over itself: `restore` is called with it and returns Result<void>.
  template <class Restore>
  void read_into(const Restore& restore) const {
    const auto saved = find();
    if (!saved) return;
    if (const Result<void> done = restore(*saved); !done) lost(done.error());
  }

  /// Whether `every` seconds have passed since it was written. `now`: Unix seconds.
  [[nodiscard]] bool due(double now, double every) const {
    return now - written_ >= every || now < written_;
  }
  /// Replaces it as a whole.
  void write(double now, std::string value);

 private:
  [[nodiscard]] std::optional<std::string> find() const;
  void lost(const Error& why) const;

  store::Store* store_;
  std::string key_, what_;
  double written_ = 0;
  bool refused_ = false;  // the last write was; one line in the log is enough
};

}  // namespace nz::agent
