#include "tests/workloads/demo/memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

namespace demo {

std::atomic<size_t> g_fresh_bytes{0};

namespace {

constexpr size_t kPage = 4096;
constexpr int kPagesPerOrder = 16;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

void* checked(void* mapped, const char* what) {
  if (mapped == MAP_FAILED) fail(what);
  return mapped;
}

}  // namespace

FreshMemory::~FreshMemory() {
  if (begin_ != nullptr) munmap(begin_, kMost);
}

void FreshMemory::use() {
  const size_t bytes = std::min(g_fresh_bytes.load(std::memory_order_relaxed), kMost);
  if (bytes == 0) return;
  if (begin_ == nullptr) {
    begin_ = static_cast<char*>(checked(
        mmap(nullptr, kMost, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), "mmap"));
    madvise(begin_, kMost, MADV_NOHUGEPAGE);  // a fault for each page, on every kernel
  }
  for (size_t at = 0; at < bytes; at += kPage) static_cast<volatile char*>(begin_)[at] = 1;
  madvise(begin_, bytes, MADV_DONTNEED);
}

ReferenceData::ReferenceData(const std::string& path, size_t bytes) : path_(path), bytes_(bytes) {
  if (bytes == 0) return;
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) fail(path);
  const std::vector<char> chunk(size_t{1} << 20, 'r');
  for (size_t done = 0; done < bytes;) {
    const ssize_t n = write(fd, chunk.data(), std::min(chunk.size(), bytes - done));
    if (n <= 0) fail(path);
    done += static_cast<size_t>(n);
  }
  fsync(fd);  // pages that are clean can be reclaimed
  begin_ = static_cast<const char*>(
      checked(mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, 0), path.c_str()));
  madvise(const_cast<char*>(begin_), bytes, MADV_RANDOM);
  close(fd);
}

ReferenceData::~ReferenceData() {
  if (begin_ == nullptr) return;
  munmap(const_cast<char*>(begin_), bytes_);
  unlink(path_.c_str());
}

uint64_t ReferenceData::look_up(uint64_t& random) const {
  uint64_t sum = 0;
  if (begin_ == nullptr) return sum;
  for (int i = 0; i < kPagesPerOrder; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    sum += static_cast<unsigned char>(begin_[(random >> 20) % (bytes_ / kPage) * kPage]);
  }
  return sum;
}

}  // namespace demo
