// What the fuzz targets share: the input as the types of our interfaces, and a way to say that a
// promise was broken. libFuzzer takes abort() for a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace nz::fuzz {

/// Ends the process, with `promise` on standard error, where it does not hold.
inline void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

/// Takes an input apart, front to back. Past its end it gives zeros and empty texts.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : at_(data), left_(size) {}

  uint8_t byte() {
    if (left_ == 0) return 0;
    --left_;
    return *at_++;
  }
  /// Up to the next line feed, which is dropped.
  std::string line() {
    std::string text;
    while (left_ > 0) {
      const auto c = static_cast<char>(byte());
      if (c == '\n') break;
      text += c;
    }
    return text;
  }
  std::string rest() {
    std::string text(reinterpret_cast<const char*>(at_), left_);
    left_ = 0;
    return text;
  }
  std::vector<uint8_t> bytes() {
    std::vector<uint8_t> all(at_, at_ + left_);
    left_ = 0;
    return all;
  }
  [[nodiscard]] bool empty() const { return left_ == 0; }

 private:
  const uint8_t* at_;
  size_t left_;
};

}  // namespace nz::fuzz

/// The entry of a target: libFuzzer calls it, and so does replay.cpp.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
