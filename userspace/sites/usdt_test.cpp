#include "userspace/sites/usdt.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

namespace nz::sites {
namespace {

// One note as sys/sdt.h's assembler macros write it.
std::vector<uint8_t> note(uint64_t pc, uint64_t base, uint64_t semaphore, const std::string& texts,
                          uint32_t type = 3,
                          const std::string& owner = std::string("stapsdt\0", 8)) {
  std::vector<uint8_t> out;
  const auto put = [&out](const void* from, size_t size) {
    const auto* bytes = static_cast<const uint8_t*>(from);
    out.insert(out.end(), bytes, bytes + size);
  };
  Elf64_Nhdr header{};
  header.n_namesz = static_cast<uint32_t>(owner.size());
  header.n_descsz = static_cast<uint32_t>(24 + texts.size());
  header.n_type = type;
  put(&header, sizeof(header));
  put(owner.data(), owner.size());
  for (const uint64_t value : {pc, base, semaphore}) put(&value, sizeof(value));
  put(texts.data(), texts.size());
  out.resize((out.size() + 3) & ~size_t{3});
  return out;
}

const std::string kTexts("orders\0submit\0-4@%edi 8@%rsi\0", 30);

TEST(Usdt, ReadsANote) {
  std::vector<uint64_t> semaphores;
  const auto probes = parse_usdt_notes(note(0x1234, 0x8000, 0x9000, kTexts), 0x8000, semaphores);
  ASSERT_EQ(probes.size(), 1U);
  EXPECT_EQ(probes[0].provider, "orders");
  EXPECT_EQ(probes[0].name, "submit");
  EXPECT_EQ(probes[0].arguments, "-4@%edi 8@%rsi");
  EXPECT_EQ(probes[0].address, 0x1234U);
  EXPECT_EQ(semaphores, std::vector<uint64_t>{0x9000});
}

TEST(Usdt, FollowsCodeThatPrelinkMoved) {
  std::vector<uint64_t> semaphores;
  const auto probes = parse_usdt_notes(note(0x1234, 0x8000, 0x9000, kTexts), 0x18000, semaphores);
  ASSERT_EQ(probes.size(), 1U);
  EXPECT_EQ(probes[0].address, 0x11234U);
  EXPECT_EQ(semaphores, std::vector<uint64_t>{0x19000});
}

TEST(Usdt, SkipsNotesOfOthersAndKeepsThoseBehind) {
  auto section = note(1, 0, 0, kTexts, 3, std::string("other\0\0\0", 8));
  const auto type = note(2, 0, 0, kTexts, 4);
  const auto good = note(3, 0, 0, kTexts);
  section.insert(section.end(), type.begin(), type.end());
  section.insert(section.end(), good.begin(), good.end());
  std::vector<uint64_t> semaphores;
  const auto probes = parse_usdt_notes(section, 0, semaphores);
  ASSERT_EQ(probes.size(), 1U);
  EXPECT_EQ(probes[0].address, 3U);
}

TEST(Usdt, DamagedNotesEndTheListAndNeverReadBeyondIt) {
  const auto whole = note(1, 0, 0, kTexts);
  std::vector<uint64_t> semaphores;
  for (size_t length = 0; length < whole.size(); length++) {
    const std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<long>(length));
    EXPECT_LE(parse_usdt_notes(cut, 0, semaphores).size(), 1U) << length;
  }
  for (size_t at = 0; at < whole.size(); at++) {
    auto damaged = whole;
    damaged[at] = 0xff;
    (void)parse_usdt_notes(damaged, 0, semaphores);
  }
}

TEST(Usdt, LibstdcxxHasProbesWhoseOffsetsLieInTheFile) {
  const auto probes = usdt_probes("/usr/lib/x86_64-linux-gnu/libstdc++.so.6");
  ASSERT_TRUE(probes.has_value()) << probes.error().text();
  ASSERT_FALSE(probes->empty());
  for (const UsdtProbe& p : *probes) {
    EXPECT_EQ(p.provider, "libstdcxx");
    EXPECT_NE(p.offset, 0U) << p.name;
  }
}

TEST(Usdt, AFileWithoutProbesHasNoneAndNoFileIsAnError) {
  const auto none = usdt_probes("/bin/true");
  ASSERT_TRUE(none.has_value());
  EXPECT_TRUE(none->empty());
  EXPECT_FALSE(usdt_probes("/etc/passwd").has_value());
}

}  // namespace
}  // namespace nz::sites
