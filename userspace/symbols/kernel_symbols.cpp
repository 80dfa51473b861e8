#include "userspace/symbols/kernel_symbols.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <numeric>

namespace nz::symbols {

void KernelSymbols::load() {
  loaded_ = true;
  std::ifstream file(path_);
  std::vector<uint64_t> addresses;
  std::vector<uint32_t> names;
  std::string line;
  while (std::getline(file, line)) {
    uint64_t address = 0;
    char type = 0;
    std::array<char, 256> name{};
    // NOLINTNEXTLINE(cert-err34-c): the kernel's own format
    if (std::sscanf(line.c_str(), "%lx %c %255s", &address, &type, name.data()) != 3) continue;
    if (address == 0 || (type != 't' && type != 'T')) continue;  // 0: kptr_restrict
    addresses.push_back(address);
    names.push_back(static_cast<uint32_t>(pool_.size()));
    pool_.append(name.data());
    pool_.push_back('\0');
  }
  pool_.shrink_to_fit();
  std::vector<uint32_t> order(addresses.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return addresses[a] < addresses[b]; });
  addresses_.reserve(order.size());
  names_.reserve(order.size());
  for (const uint32_t i : order) {
    addresses_.push_back(addresses[i]);
    names_.push_back(names[i]);
  }
}

std::optional<KernelSymbols::Symbol> KernelSymbols::find(uint64_t address) {
  if (!loaded_) load();
  const auto after = std::upper_bound(addresses_.begin(), addresses_.end(), address);
  if (after == addresses_.begin()) return std::nullopt;
  const auto i = static_cast<size_t>(std::prev(after) - addresses_.begin());
  return Symbol{pool_.c_str() + names_[i], addresses_[i],
                after != addresses_.end() ? *after : address + 1};
}

}  // namespace nz::symbols
