#include "userspace/sites/go_symbols.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "userspace/sites/binary.h"

namespace nz::sites {
namespace {

// A table of two functions as Go 1.20 writes it: header, names, then the functions.
std::vector<uint8_t> table(uint32_t magic = 0xfffffff1, uint64_t text = 0x401000) {
  std::vector<uint8_t> out;
  const auto put = [&out](auto value) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
    out.insert(out.end(), bytes, bytes + sizeof(value));
  };
  put(magic);
  put(uint16_t{0});
  put(uint8_t{1});
  put(uint8_t{8});
  const uint64_t names = 8 + 8 * 8;
  const std::string texts("main.main\0main.f\0", 17);
  const uint64_t functions = names + 24;
  for (const uint64_t word :
       {uint64_t{2}, uint64_t{0}, text, names, names, names, names, functions})
    put(word);
  out.insert(out.end(), texts.begin(), texts.end());
  out.resize(functions);
  // (entry, offset of its information) twice, then the sentinel; information: entry, name.
  for (const uint32_t value : {0U, 20U, 0x40U, 28U, 0x70U}) put(value);
  for (const uint32_t value : {0U, 0U, 0x40U, 10U}) put(value);
  return out;
}

TEST(GoSymbols, NamesAddressesAndSizes) {
  for (const uint32_t magic : {0xfffffff1U, 0xfffffff0U}) {
    const auto functions = parse_go_functions(table(magic), 0);
    ASSERT_EQ(functions.size(), 2U);
    EXPECT_EQ(functions[0].name, "main.main");
    EXPECT_EQ(functions[0].address, 0x401000U);
    EXPECT_EQ(functions[0].size, 0x40U);
    EXPECT_EQ(functions[1].name, "main.f");
    EXPECT_EQ(functions[1].address, 0x401040U);
    EXPECT_EQ(functions[1].size, 0x30U);
  }
}

TEST(GoSymbols, ATableWithoutItsOwnBaseUsesTheSections) {
  const auto functions = parse_go_functions(table(0xfffffff1, 0), 0x7000);
  ASSERT_EQ(functions.size(), 2U);
  EXPECT_EQ(functions[1].address, 0x7040U);
}

TEST(GoSymbols, OtherVersionsAndDamageGiveNothingAndNeverReadBeyondTheEnd) {
  EXPECT_TRUE(parse_go_functions(table(0xfffffffb), 0).empty()) << "Go 1.2 to 1.15";
  EXPECT_TRUE(parse_go_functions({}, 0).empty());
  const auto whole = table();
  for (size_t length = 0; length < whole.size(); length++) {
    const std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<long>(length));
    EXPECT_LE(parse_go_functions(cut, 0).size(), 2U);
  }
  for (size_t at = 0; at < whole.size(); at++) {
    for (const uint8_t value : {0x00, 0x7f, 0xff}) {
      auto damaged = whole;
      damaged[at] = value;
      (void)parse_go_functions(damaged, 0);
    }
  }
}

TEST(GoSymbols, AStrippedGoBinaryHasItsFunctions) {
  const std::string prometheus = "/usr/bin/prometheus";
  if (access(prometheus.c_str(), R_OK) != 0) GTEST_SKIP() << "needs Debian's prometheus";
  const auto binary = Binary::open(prometheus);
  ASSERT_TRUE(binary.has_value()) << binary.error().text();
  EXPECT_TRUE(binary->traits().go);
  const auto main = binary->function("main.main");
  ASSERT_TRUE(main.has_value());
  EXPECT_GT(main->size, 100U);
  EXPECT_TRUE(binary->executable(main->address));
  EXPECT_GT(binary->function_count(), 10000U);
}

}  // namespace
}  // namespace nz::sites
