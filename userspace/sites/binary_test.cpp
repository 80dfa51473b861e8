#include "userspace/sites/binary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lzma.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "userspace/sites/debug_file.h"
#include "userspace/sites/explain.h"
#include "userspace/sites/sqlite_offsets.h"

namespace demo {  // what users name: C++ functions of this test program
struct Order {
  int id;
};
struct Risk {
  bool check(const Order& order) const;
  bool check(int id) const;
  int operator()(int) const;
};
__attribute__((noinline)) bool Risk::check(const Order& order) const { return order.id > 0; }
__attribute__((noinline)) bool Risk::check(int id) const { return id > 0; }
__attribute__((noinline)) int Risk::operator()(int x) const { return x + 1; }
template <class T>
__attribute__((noinline)) T twice(T x) {
  return x + x;
}
template int twice<int>(int);
template long twice<long>(long);
}  // namespace demo

namespace nz::sites {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::vector<uint8_t> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<uint8_t> pack_xz(const std::vector<uint8_t>& bytes) {
  std::vector<uint8_t> packed(lzma_stream_buffer_bound(bytes.size()));
  size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr, bytes.data(), bytes.size(),
                                    packed.data(), &size, packed.size()),
            LZMA_OK);
  packed.resize(size);
  return packed;
}

/// A file that is removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& suffix = "")
      : path_(std::filesystem::temp_directory_path() /
              ("nz_sites_binary_" + std::to_string(getpid()) + suffix)) {}
  ~TemporaryFile() { std::filesystem::remove(path_); }
  void write(const std::vector<uint8_t>& bytes) const {
    std::ofstream file(path_, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

Result<Binary> self() { return Binary::open("/proc/self/exe"); }

TEST(BinaryTest, FindsByEveryFormOfAName) {
  const auto binary = self();
  ASSERT_TRUE(binary) << binary.error().text();
  EXPECT_THAT(*binary->find("_ZNK4demo4Risk5checkERKNS_5OrderE"), SizeIs(1));
  EXPECT_THAT(*binary->find("demo::Risk::check"), SizeIs(2)) << "both overloads";
  EXPECT_THAT(*binary->find("demo::Risk::check(demo::Order const&)"), SizeIs(1));
  EXPECT_THAT(*binary->find("demo::Risk::check(demo::Order const&) const"), SizeIs(1));
  EXPECT_THAT(*binary->find("demo::Risk::ch?ck"), SizeIs(2));
  EXPECT_THAT(*binary->find("_ZNK4demo4Risk5ch*"), SizeIs(2));
  EXPECT_THAT(*binary->find("demo::twice"), SizeIs(2)) << "both instances";
  EXPECT_THAT(*binary->find("demo::twice<int>"), SizeIs(1));
  EXPECT_THAT(*binary->find("demo::Risk::operator()"), SizeIs(1));
}

TEST(BinaryTest, MissNamesTheNearest) {
  const auto binary = self();
  ASSERT_TRUE(binary);
  const auto missed = binary->find("demo::Risk::chekc");
  ASSERT_FALSE(missed);
  EXPECT_THAT(missed.error().what, HasSubstr("no function 'demo::Risk::chekc'"));
  EXPECT_THAT(missed.error().remedy, HasSubstr("demo::Risk::check"));
}

TEST(BinaryTest, AliasesAreOneAndPiecesAreNone) {
  const auto binary = Binary::open(NZ_SITES_FIXTURE);
  ASSERT_TRUE(binary) << binary.error().text();
  const auto by_glob = binary->find("*fx_push");
  ASSERT_TRUE(by_glob);
  ASSERT_THAT(*by_glob, SizeIs(1)) << "fx_push and __fx_push are one address";
  EXPECT_EQ(by_glob->front().name, "fx_push");
  EXPECT_EQ(binary->find("__fx_push")->front().name, "__fx_push") << "asked for by that name";
  EXPECT_THAT(*binary->find("fx_with_cold*"), SizeIs(1));
  EXPECT_THAT(*binary->find("fx_with_cold.cold"), SizeIs(1)) << "its exact name";
  EXPECT_TRUE(binary->function("fx_ifunc")->ifunc);
  EXPECT_FALSE(binary->find("fx_puhs")) << "a misspelling";
  EXPECT_FALSE(binary->find(""));
}

TEST(BinaryTest, OffsetsGoThroughTheProgramHeaders) {
  const auto binary = Binary::open(NZ_SITES_FIXTURE);
  ASSERT_TRUE(binary);
  const auto symbol = binary->function("fx_push");
  ASSERT_TRUE(symbol);
  const auto file = read_file(NZ_SITES_FIXTURE);
  EXPECT_EQ(file.at(symbol->offset), 0x55);
  EXPECT_EQ(binary->read(symbol->address, symbol->size)->back(), 0xc3);
  EXPECT_FALSE(binary->read(symbol->address, 1 << 24)) << "beyond the segment";
  EXPECT_FALSE(binary->read(~uint64_t{0} - 4, 8));
  EXPECT_TRUE(binary->executable(symbol->address));
  EXPECT_FALSE(binary->executable(binary->function("fx_in_data")->address));
  struct stat status {};
  ASSERT_EQ(stat(NZ_SITES_FIXTURE, &status), 0);
  EXPECT_EQ(binary->inode(), status.st_ino);
  EXPECT_EQ(binary->device(), status.st_dev);
  EXPECT_THAT(binary->build_id(), SizeIs(40));
}

TEST(BinaryTest, TraitsOfThisHostsBinaries) {
  const auto test = self();
  ASSERT_TRUE(test);
  EXPECT_TRUE(test->traits().cxx_unwinder);
  EXPECT_TRUE(test->traits().pie);
  EXPECT_FALSE(test->traits().static_exe);
  EXPECT_FALSE(test->traits().stripped);
  EXPECT_FALSE(test->traits().go);
  const auto fixture = Binary::open(NZ_SITES_FIXTURE);
  ASSERT_TRUE(fixture);
  EXPECT_FALSE(fixture->traits().cxx_unwinder);
  EXPECT_FALSE(fixture->traits().pie) << "a library is not an executable";
  EXPECT_FALSE(fixture->traits().stack_switching);
}

class HostBinaryTest : public ::testing::TestWithParam<const char*> {};

// Every function of a real binary gets an answer; no address sanitizer finding, no exception.
TEST_P(HostBinaryTest, EveryFunctionIsJudged) {
  if (!std::filesystem::exists(GetParam())) GTEST_SKIP() << GetParam() << " is not installed";
  const auto binary = Binary::open(GetParam());
  ASSERT_TRUE(binary) << binary.error().text();
  const auto all = binary->find("*");
  ASSERT_TRUE(all) << all.error().text();
  const KernelTraits kernel = traits_of_release("6.18.0");
  Need need;
  need.stack_pointer_at_entry = true;
  need.arguments = kAllArguments;
  size_t emulated = 0;
  size_t judged = 0;
  // A sample of the largest (Node.js has 170,000) keeps this in seconds.
  const size_t stride = 1 + all->size() / 3000;
  for (size_t n = 0; n < all->size(); n += stride) {
    const Symbol& symbol = (*all)[n];
    const auto site = choose_entry(*binary, symbol, need, kernel);
    if (!site) {
      EXPECT_FALSE(site.error().what.empty());
      continue;
    }
    ++judged;
    EXPECT_FALSE(site->why.empty());
    EXPECT_EQ(site->sp_displacement, 0);
    if (site->expected == Cost::emulated) ++emulated;
    const auto plan = choose_return(*binary, symbol, {}, kernel);
    if (plan) {
      EXPECT_FALSE(explain(symbol, *site, *plan).empty());
    }
  }
  RecordProperty("judged", static_cast<int>(judged));
  RecordProperty("emulated", static_cast<int>(emulated));
  EXPECT_GT(judged, 0u);
  EXPECT_GT(emulated, 0u);
}

INSTANTIATE_TEST_SUITE_P(Host, HostBinaryTest,
                         ::testing::Values("/usr/lib/x86_64-linux-gnu/libsqlite3.so.0",
                                           "/usr/bin/python3",
                                           "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
                                           "/usr/bin/node"));

TEST(BinaryErrors, NotWhatCanBeProbed) {
  TemporaryFile file;
  file.write({});
  EXPECT_THAT(Binary::open(file.path()).error().what, HasSubstr("empty"));
  const std::string script = "#!/bin/sh\nexit 0\n";
  file.write({script.begin(), script.end()});
  EXPECT_THAT(Binary::open(file.path()).error().what, HasSubstr("not an ELF binary"));
  EXPECT_FALSE(Binary::open("/nonexistent/file"));
  EXPECT_THAT(Binary::open("/tmp").error().what, HasSubstr("not a regular file"));
  auto bytes = read_file(NZ_SITES_FIXTURE);
  auto other = bytes;
  other[18] = 0xb7;  // e_machine: EM_AARCH64
  file.write(other);
  EXPECT_THAT(Binary::open(file.path()).error().what, HasSubstr("not x86-64"));
  other = bytes;
  other[4] = 1;  // ELFCLASS32
  file.write(other);
  EXPECT_THAT(Binary::open(file.path()).error().what, HasSubstr("not a 64-bit"));
  other = bytes;
  other[16] = 1;  // ET_REL
  file.write(other);
  EXPECT_THAT(Binary::open(file.path()).error().what, HasSubstr("neither an executable"));
  other = bytes;
  std::fill_n(other.begin() + 0x28, 8, uint8_t{0});  // e_shoff: as UPX leaves it
  std::fill_n(other.begin() + 0x3c, 4, uint8_t{0});  // e_shnum, e_shstrndx
  file.write(other);
  const auto packed = Binary::open(file.path());
  ASSERT_FALSE(packed);
  EXPECT_THAT(packed.error().what, HasSubstr("no section headers"));
  EXPECT_THAT(packed.error().remedy, HasSubstr("UPX"));
}

/// Everything this module does with a binary.
void exercise(const std::string& path) {
  const auto binary = Binary::open(path, {.debug_files = false});
  if (!binary) {
    EXPECT_FALSE(binary.error().what.empty());
    return;
  }
  const KernelTraits kernel = traits_of_release("6.18.0");
  if (const auto all = binary->find("*")) {
    size_t budget = 200;
    for (const Symbol& symbol : *all) {
      if (budget-- == 0) break;
      (void)choose_entry(*binary, symbol, {}, kernel);
      ReturnPolicy policy;
      policy.prefer_exit_instructions = true;
      (void)choose_return(*binary, symbol, policy, kernel);
    }
  }
  (void)binary->find("fx_puhs");
  (void)derive_sqlite_offsets(*binary);
}

TEST(BinaryErrors, TruncatedAnywhereIsAnErrorNeverACrash) {
  const auto bytes = read_file(NZ_SITES_FIXTURE);
  TemporaryFile file("_cut");
  for (size_t length = 0; length < bytes.size(); length += 1 + bytes.size() / 400) {
    file.write({bytes.begin(), bytes.begin() + static_cast<long>(length)});
    EXPECT_FALSE(Binary::open(file.path())) << length << " of " << bytes.size() << " bytes";
  }
}

TEST(BinaryErrors, RandomDamageNeverCrashes) {
  const auto bytes = read_file(NZ_SITES_FIXTURE);
  TemporaryFile file("_flip");
  std::mt19937 random(20240607);
  for (int round = 0; round < 600; ++round) {
    auto damaged = bytes;
    const int flips = 1 + static_cast<int>(random() % 8);
    for (int n = 0; n < flips; ++n) {
      // Half of the damage goes where structure is: the ELF and program headers, the section
      // headers.
      size_t at = random() % damaged.size();
      if (round % 2 == 0)
        at = random() % 2 == 0 ? random() % 0x300 : damaged.size() - 1 - random() % 0x900;
      damaged[at] = static_cast<uint8_t>(random());
    }
    file.write(damaged);
    exercise(file.path());
  }
}

TEST(BinaryErrors, FileThatShrinksAfterOpeningIsAnError) {
  TemporaryFile file("_shrink");
  file.write(read_file(NZ_SITES_FIXTURE));
  const auto binary = Binary::open(file.path());
  ASSERT_TRUE(binary);
  const auto symbol = binary->function("fx_push");
  ASSERT_EQ(truncate(file.path().c_str(), 64), 0);
  EXPECT_FALSE(choose_entry(*binary, *symbol, {}, traits_of_release("6.18")));
}

TEST(DebugFile, LinkSectionAndPaths) {
  // "ab.debug" is 8 bytes: with its NUL 9, padded to 12.
  std::vector<uint8_t> section = {'a', 'b', '.', 'd', 'e', 'b', 'u', 'g', 0, 0, 0, 0, 4, 3, 2, 1};
  EXPECT_EQ(parse_debug_link(section).name, "ab.debug");
  EXPECT_EQ(parse_debug_link(section).crc, 0x01020304u);
  section.pop_back();
  EXPECT_EQ(parse_debug_link(section).name, "");
  EXPECT_EQ(parse_debug_link({}).name, "");
  EXPECT_EQ(parse_debug_link({'/', 'x', 0, 0, 1, 1, 1, 1}).name, "") << "no directories";
  EXPECT_EQ(build_id_path("/usr/lib/debug", "0123abcd"),
            "/usr/lib/debug/.build-id/01/23abcd.debug");
  EXPECT_EQ(build_id_path("/usr/lib/debug", ""), "");
}

TEST(DebugFile, UnpacksXzAndNothingElse) {
  const std::vector<uint8_t> text(100'000, 'x');
  const std::vector<uint8_t> packed = pack_xz(text);
  EXPECT_EQ(unpack_xz(packed), text);
  EXPECT_TRUE(unpack_xz({}).empty());
  EXPECT_TRUE(unpack_xz(text).empty());
  EXPECT_TRUE(unpack_xz({packed.begin(), packed.end() - 20}).empty()) << "cut";
}

// As Fedora ships its binaries: stripped, with the function symbols compressed inside.
TEST(DebugFile, MiniDebugInfoBringsLocalSymbols) {
  const TemporaryFile stripped("_stripped");
  const TemporaryFile symbols("_symbols");
  const TemporaryFile packed("_symbols.xz");
  const TemporaryFile whole("_mini");
  const auto tool = [](const std::string& command) {
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  };
  tool("strip -o " + stripped.path() + " " NZ_SITES_FIXTURE);
  tool("objcopy --only-keep-debug " NZ_SITES_FIXTURE " " + symbols.path());
  packed.write(pack_xz(read_file(symbols.path())));
  tool("objcopy --add-section .gnu_debugdata=" + packed.path() + " " + stripped.path() + " " +
       whole.path());
  const auto bare = Binary::open(stripped.path(), {.debug_files = false});
  const auto mini = Binary::open(whole.path());
  ASSERT_TRUE(bare.has_value() && mini.has_value());
  EXPECT_FALSE(bare->function("frame_dummy").has_value());
  EXPECT_TRUE(mini->function("frame_dummy").has_value());
  EXPECT_FALSE(mini->traits().stripped);
  EXPECT_TRUE(mini->symbol_file().ends_with("[.gnu_debugdata]"));
}

TEST(DebugFile, SeparateFileBringsLocalSymbols) {
  // libc is stripped; libc6-dbg has its .symtab under the build id.
  const char* libc = "/usr/lib/x86_64-linux-gnu/libc.so.6";
  const auto without = Binary::open(libc, {.debug_files = false});
  const auto with = Binary::open(libc);
  ASSERT_TRUE(without && with);
  if (with->symbol_file().empty())
    GTEST_SKIP() << "libc6-dbg is not installed or is of another build";
  EXPECT_TRUE(without->traits().stripped);
  EXPECT_FALSE(with->traits().stripped);
  EXPECT_GT(with->function_count(), without->function_count());
  EXPECT_FALSE(without->function("_int_malloc"));
  ASSERT_TRUE(with->function("_int_malloc"));
  EXPECT_TRUE(choose_entry(*with, *with->function("_int_malloc"), {}, traits_of_release("6.18")));
}

}  // namespace
}  // namespace nz::sites
