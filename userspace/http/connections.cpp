#include "userspace/http/connections.h"

#include <sys/socket.h>

#include <utility>

namespace nz::http {
namespace {

// An end that arrives together with the last bytes of half a request raises no second edge, and
// libmicrohttpd's epoll would keep the dead connection until its idle timeout.
bool client_has_closed(int fd) {
  char byte = 0;
  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

std::size_t nearly(std::size_t limit) { return limit - limit / 16; }

}  // namespace

// Not close(): the descriptor is libmicrohttpd's, which sees the end and closes it.
void Connections::end(Connection& connection) {
  shutdown(connection.fd, SHUT_RDWR);
  connection.shut = true;
}

Connections::Connection* Connections::oldest_silent(const std::string* client) {
  Connection* oldest = nullptr;
  for (auto& [handle, c] : open_) {
    if (c.shut || c.has_asked || c.answering || (client != nullptr && c.client != *client))
      continue;
    if (oldest == nullptr || c.since < oldest->since) oldest = &c;
  }
  return oldest;
}

std::size_t Connections::make_room(const std::string& client) {
  // Those already ended free their place within this run of libmicrohttpd.
  if (limits_.all >= 16 && open_.size() - shut_ > nearly(limits_.all)) {
    if (Connection* c = oldest_silent(nullptr)) {
      end(*c);
      shut_++;
      return 1;
    }
  }
  if (limits_.of_one >= 16 && by_client_[client] > nearly(limits_.of_one)) {
    if (Connection* c = oldest_silent(&client)) {
      end(*c);
      shut_++;
      return 1;
    }
  }
  return 0;
}

std::size_t Connections::opened(Handle handle, int fd, std::string client, Clock::time_point now,
                                std::shared_ptr<const void> keep) {
  by_client_[client]++;
  const auto added = open_.emplace(
      handle,
      Connection{.fd = fd, .client = std::move(client), .keep = std::move(keep), .since = now});
  return make_room(added.first->second.client);
}

bool Connections::closed(Handle handle) {
  const auto it = open_.find(handle);
  if (it == open_.end()) return true;
  const bool has_asked = it->second.has_asked;
  if (it->second.shut) shut_--;
  if (const auto n = by_client_.find(it->second.client);
      n != by_client_.end() && --n->second == 0) {
    by_client_.erase(n);
  }
  open_.erase(it);
  return has_asked;
}

void Connections::answering(Handle handle) {
  if (const auto it = open_.find(handle); it != open_.end()) {
    it->second.answering = true;
    it->second.has_asked = true;
  }
}

void Connections::answered(Handle handle, Clock::time_point now) {
  if (const auto it = open_.find(handle); it != open_.end()) {
    it->second.since = now;
    it->second.answering = false;
  }
}

std::size_t Connections::sweep(Clock::time_point now) {
  std::size_t late = 0;
  for (auto& [handle, c] : open_) {
    if (c.shut) continue;
    if (now - c.since >= limits_.deadline) {
      late++;
      end(c);
      shut_++;
    } else if (!c.answering && client_has_closed(c.fd)) {
      // Twice in a row: whatever had arrived before the end has then been worked on.
      if (c.ended) {
        end(c);
        shut_++;
      }
      c.ended = true;
    }
  }
  return late;
}

const std::string& Connections::client(Handle handle) const {
  static const std::string unknown;
  const auto it = open_.find(handle);
  return it == open_.end() ? unknown : it->second.client;
}

}  // namespace nz::http
