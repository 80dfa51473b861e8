// What an order does with memory besides its own few kilobytes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace demo {

// While above 0 every risk check works on so many bytes that are new each time.
extern std::atomic<size_t> g_fresh_bytes;

// Memory that is returned to the system after each use, as malloc does above its trim threshold:
// every page of it faults each time.
class FreshMemory {
 public:
  FreshMemory() = default;
  ~FreshMemory();
  FreshMemory(const FreshMemory&) = delete;
  FreshMemory& operator=(const FreshMemory&) = delete;

  // Writes to every page of g_fresh_bytes, and gives them back.
  void use();

 private:
  static constexpr size_t kMost = size_t{64} << 20;
  char* begin_ = nullptr;
};

// Instruments, calendars, limits: a mapped file that is read at random and lives in the page cache.
class ReferenceData {
 public:
  // A file of `bytes` at `path`, which is removed with the object; 0 bytes: nothing.
  ReferenceData(const std::string& path, size_t bytes);
  ~ReferenceData();
  ReferenceData(const ReferenceData&) = delete;
  ReferenceData& operator=(const ReferenceData&) = delete;

  // Reads some pages of it; the sum of what stands there.
  uint64_t look_up(uint64_t& random) const;

 private:
  std::string path_;
  size_t bytes_;
  const char* begin_ = nullptr;
};

}  // namespace demo
