#include "probes/block_names.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <tuple>

#include "nearzero/block.h"

namespace nz::probes {

const char* block_op_name(uint32_t op) {
  constexpr std::array<const char*, NZ_BLOCK_OPS> kNames = {"read", "write", "flush", "discard",
                                                            "other"};
  return kNames[std::min<size_t>(op, NZ_BLOCK_OTHER)];
}

std::string block_device_name(uint64_t number, const std::string& sys) {
  const std::string numbers = std::to_string(number >> 20) + ":" + std::to_string(number & 0xfffff);
  std::error_code none;
  const auto link = std::filesystem::read_symlink(sys + "/dev/block/" + numbers, none);
  return none ? numbers : link.filename().string();
}

std::vector<uint64_t> block_devices(const std::string& sys) {
  std::vector<std::tuple<bool, uint64_t>> found;  // made of something else; number
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(sys + "/block", none)) {
    std::string numbers;
    std::ifstream(entry.path() / "dev") >> numbers;
    unsigned major = 0;
    unsigned minor = 0;
    // NOLINTNEXTLINE(cert-err34-c): the kernel's own format
    if (std::sscanf(numbers.c_str(), "%u:%u", &major, &minor) != 2) continue;
    const std::string name = entry.path().filename().string();
    const bool made =
        name.starts_with("loop") || name.starts_with("ram") || name.starts_with("zram");
    found.emplace_back(made, NZ_BLOCK_NUMBER(major, minor));
  }
  std::sort(found.begin(), found.end());
  std::vector<uint64_t> result;
  for (const auto& [made, number] : found) result.push_back(number);
  return result;
}

}  // namespace nz::probes
