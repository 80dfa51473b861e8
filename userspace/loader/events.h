// The ring buffer of rare events (nz_events): fork, exec, exit, a statement text seen first.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "nearzero/abi.h"
#include "userspace/base/result.h"
#include "userspace/loader/object.h"

namespace nz::loader {

class Events {
 public:
  /// `bytes` is a whole nz_event or nz_statement_event, valid during the call.
  using Handler = std::function<void(const nz_event& event, std::span<const std::byte> bytes)>;

  static Result<std::unique_ptr<Events>> open(const Object& object, Handler handler);
  ~Events();
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  [[nodiscard]] int poll_fd() const;
  /// Handles everything that is there, without waiting.
  void consume();

 private:
  struct Impl;
  explicit Events(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nz::loader
