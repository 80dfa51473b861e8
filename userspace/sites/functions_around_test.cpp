#include "userspace/sites/functions_around.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "userspace/sites/binary.h"
#include "userspace/sites/symbol_match.h"

namespace nz::sites {
namespace {

constexpr const char* kSelf = "/proc/self/exe";

// Every address is named as Binary names it, which has an index of all symbols.
TEST(FunctionsAround, AgreesWithBinaryEverywhere) {
  for (const std::string path : {kSelf, "/lib/x86_64-linux-gnu/libc.so.6"}) {
    const auto binary = Binary::open(path);
    if (!binary) continue;
    std::vector<uint64_t> offsets;
    std::vector<std::string> want;
    uint64_t address = 0;
    for (int i = 0; i < 4000; i++) {
      const auto next = binary->next_function(address);
      if (!next) break;
      address = *next;
      const auto symbol = binary->function_at(address);
      for (const uint64_t into : {uint64_t{0}, symbol->size / 2, symbol->size, symbol->size + 7}) {
        const auto offset = binary->file_offset(address + into);
        if (!offset || !binary->executable(address + into)) continue;
        const auto around = binary->function_around(address + into);
        offsets.push_back(*offset);
        want.push_back(!around                         ? ""
                       : around->name.starts_with("_") ? without_parameters(demangle(around->name))
                                                       : around->name);
      }
    }
    ASSERT_GT(offsets.size(), 100U) << path;
    const auto found = functions_around(path, offsets);
    ASSERT_TRUE(found) << found.error().text();
    ASSERT_EQ(found->size(), offsets.size());
    for (size_t i = 0; i < offsets.size(); i++) {
      const FunctionRange& r = (*found)[i];
      EXPECT_EQ(r.name, want[i]) << path << " at " << offsets[i];
      EXPECT_LE(r.begin, offsets[i]);
      EXPECT_GT(r.end, offsets[i]);
      for (size_t k = i - i % 4; k < i; k++) {  // other addresses of the same function
        if (want[i].empty() && !want[k].empty() && (*found)[k].end <= offsets[i]) {
          EXPECT_GE(r.begin, (*found)[k].end) << "padding is not the function before it";
        }
      }
    }
  }
}

TEST(FunctionsAround, AStrippedFileHasFunctionsWithoutNames) {
  const std::string stripped = ::testing::TempDir() + "stripped." + std::to_string(getpid());
  const std::string self = std::filesystem::read_symlink(kSelf);
  ASSERT_EQ(std::system(("objcopy --strip-all -R .dynsym " + self + " " + stripped +
                         " 2>/dev/null || strip -o " + stripped + " " + self)
                            .c_str()),
            0);
  const auto binary = Binary::open(self);
  ASSERT_TRUE(binary);
  const auto symbol = binary->find("nz::sites::without_parameters");
  ASSERT_TRUE(symbol) << symbol.error().text();
  const Symbol& function = symbol->front();
  const auto found = functions_around(stripped, {function.offset + function.size / 2});
  ASSERT_TRUE(found) << found.error().text();
  const FunctionRange& r = found->front();
  if (r.name.empty()) {  // it is not exported here
    EXPECT_EQ(r.begin, function.offset);
    EXPECT_EQ(r.address, function.address);
    EXPECT_GE(r.end, function.offset + function.size);
  } else {
    EXPECT_EQ(r.name, "nz::sites::without_parameters");
  }
  std::filesystem::remove(stripped);
}

TEST(FunctionsAround, WhatIsNoCodeIsOneByte) {
  const auto found = functions_around(kSelf, {0, uint64_t{1} << 60});
  ASSERT_TRUE(found);
  for (const FunctionRange& r : *found) {
    EXPECT_EQ(r.name, "");
    EXPECT_EQ(r.end, r.begin + 1);
  }
  EXPECT_FALSE(functions_around("/nowhere", {0}));
  EXPECT_TRUE(functions_around(kSelf, {})->empty());
}

}  // namespace
}  // namespace nz::sites
