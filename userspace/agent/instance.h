// One agent a host: a lock in the runtime folder, and a control socket beside it for `nearzero
// off`, `on` and `status`.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "userspace/base/fd.h"
#include "userspace/base/result.h"

namespace nz::agent {

/// Takes RUNTIME_DIR/agent.lock until it is destroyed. Error EWOULDBLOCK: another agent runs.
Result<Fd> lock_instance(const std::string& runtime_dir);

/// RUNTIME_DIR/agent.sock, for root alone (mode 0600). One line in, one text out, then it closes.
class ControlSocket {
 public:
  using Handler = std::function<std::string(const std::string& command)>;

  static Result<ControlSocket> open(const std::string& runtime_dir, Handler handler);
  ControlSocket(ControlSocket&&) noexcept = default;
  ControlSocket& operator=(ControlSocket&&) noexcept = default;
  ~ControlSocket();

  /// Readable when answer() has something to do.
  [[nodiscard]] int fd() const { return ready_.get(); }
  /// Answers the clients whose line is there. Waits for none that is silent; one that does not read
  /// its answer is given up after 200 ms.
  void answer();

 private:
  ControlSocket(Fd listener, Fd ready, std::string path, Handler handler);
  void accept_all();
  Fd listener_, ready_;        // ready_: epoll over the listener and the clients
  std::map<int, Fd> clients_;  // that have not sent their line yet
  std::string path_;
  Handler handler_;
};

/// The client side: sends one command to the running agent and returns its answer.
Result<std::string> send_command(const std::string& runtime_dir, const std::string& command);

}  // namespace nz::agent
