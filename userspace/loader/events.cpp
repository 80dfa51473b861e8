#include "userspace/loader/events.h"

#include <bpf/libbpf.h>

#include <cerrno>

namespace nz::loader {

struct Events::Impl {
  Handler handler;
  ring_buffer* ring = nullptr;

  ~Impl() {
    if (ring != nullptr) ring_buffer__free(ring);
  }
  static int on_record(void* self, void* data, size_t size) {
    if (size < sizeof(nz_event)) return 0;
    static_cast<Impl*>(self)->handler(*static_cast<const nz_event*>(data),
                                      {static_cast<const std::byte*>(data), size});
    return 0;
  }
};

Events::Events(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Events::~Events() = default;

Result<std::unique_ptr<Events>> Events::open(const Object& object, Handler handler) {
  auto impl = std::make_unique<Impl>();
  impl->handler = std::move(handler);
  impl->ring = ring_buffer__new(object.map_fd("nz_events"), &Impl::on_record, impl.get(), nullptr);
  if (impl->ring == nullptr) return fail_errno("map the event ring", errno);
  return std::unique_ptr<Events>(new Events(std::move(impl)));
}

int Events::poll_fd() const { return ring_buffer__epoll_fd(impl_->ring); }
void Events::consume() { ring_buffer__consume(impl_->ring); }

}  // namespace nz::loader
