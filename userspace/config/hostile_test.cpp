// Files that are no configuration at all, by mistake or by intent: an answer, quickly, and no
// crash.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "userspace/config/config.h"

namespace nz::config {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::MatchesRegex;

std::string quick_error_of(const std::string& yaml) {
  const auto begin = std::chrono::steady_clock::now();
  const auto result = parse(yaml, "f");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  return result ? std::string("no error") : result.error().text();
}

std::string repeat(const std::string& text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(Hostile, BinaryIsNotText) {
  EXPECT_THAT(quick_error_of("\x7f"
                             "ELF\x02"),
              HasSubstr("f:1:1: not UTF-8 text: byte 0x7f"));
  EXPECT_THAT(quick_error_of(std::string("host: true\nx\0y", 14)),
              HasSubstr("f:2:2: not UTF-8 text: byte 0x00"));
  EXPECT_THAT(quick_error_of("host: \xff\n"), HasSubstr("f:1:7: not UTF-8 text: byte 0xff"));
  for (const char* bytes : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) {
    EXPECT_THAT(quick_error_of(bytes), HasSubstr("f:1:1: not UTF-8")) << bytes;
  }
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::string bytes(4096, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    EXPECT_THAT(quick_error_of(bytes), HasSubstr("f:"));
  }
}

TEST(Hostile, TextBeyondAsciiIsFine) {
  EXPECT_TRUE(parse("# \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\nruntime_dir: /\xc3\xa4\n", "f"));
}

TEST(Hostile, DeepNestingIsBounded) {
  const std::size_t many = 200000;
  EXPECT_THAT(quick_error_of(repeat("[", many)), HasSubstr("f:1:17: nested deeper than 32"));
  EXPECT_THAT(quick_error_of(repeat("{a: ", many)), HasSubstr("f:1:"));
  EXPECT_THAT(quick_error_of(repeat("- ", many)), HasSubstr("f:1:65: nested deeper than 32"));
  EXPECT_THAT(quick_error_of(repeat("? ", many)), HasSubstr("f:1:"));
  EXPECT_THAT(quick_error_of("a: " + repeat("&x ", many)), HasSubstr("f:1:"));
  EXPECT_THAT(quick_error_of(repeat("!", many)), HasSubstr("f:1:"));
  EXPECT_THAT(quick_error_of(repeat("]", many)), HasSubstr("f:1:"));
}

TEST(Hostile, BillionLaughsAreBounded) {
  std::string yaml = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    yaml += "l" + std::to_string(i) + ": &l" + std::to_string(i) + " [" +
            repeat("*l" + std::to_string(i - 1) + ", ", 10) + "]\n";
  }
  EXPECT_THAT(quick_error_of(yaml),
              MatchesRegex("f:[0-9]+:[0-9]+: aliases expand to more than 50000 values.*"));
}

TEST(Hostile, AChainOfAliasesIsBounded) {
  std::string yaml = "l0: &l0 [x]\n";
  for (int i = 1; i < 5000; ++i) {
    yaml += "l" + std::to_string(i) + ": &l" + std::to_string(i) + " [*l" + std::to_string(i - 1) +
            "]\n";
  }
  EXPECT_THAT(quick_error_of(yaml), HasSubstr("aliases nest too deeply"));
}

TEST(Hostile, ManyAndLongValuesAreBounded) {
  EXPECT_THAT(quick_error_of("targets: [" + repeat("1,", 400000) + "]"),
              HasSubstr("too many values"));
  EXPECT_THAT(quick_error_of(repeat("k: 1\n", 20000)),
              HasSubstr("duplicate key 'k', first at line 1"));
  EXPECT_THAT(quick_error_of("targets: [" + repeat("{nam: 1},", 9000) + "]"),
              HasSubstr("more problems"));
  EXPECT_THAT(quick_error_of("listen: " + std::string(500000, 'x')),
              HasSubstr("f:1:9: a text of 500000 bytes"));
  EXPECT_THAT(quick_error_of("? " + std::string(4000, 'k') + "\n: 1"),
              HasSubstr("unknown key 'kkk"));
  EXPECT_THAT(quick_error_of("drain_interval: " + std::string(4000, '1') + "s"),
              HasSubstr("...' is not a number"));
  EXPECT_THAT(quick_error_of(std::string((1 << 20) + 1, '#')), HasSubstr("f:1:1: more than 1 MiB"));
  EXPECT_EQ(quick_error_of(std::string(1 << 20, '#')), "no error");
}

TEST(Hostile, ControlCharactersDoNotReachTheTerminal) {
  EXPECT_EQ(quick_error_of("\"\\e[2J\": 1").find('\x1b'), std::string::npos);
  EXPECT_EQ(quick_error_of("log: {level: \"\\e[2J\"}").find('\x1b'), std::string::npos);
}

/// Every case is either a configuration or an error that names a line.
TEST(Hostile, MutationsNeverCrash) {
  std::stringstream file;
  file << std::ifstream(NZ_CONFIGS_DIR "/demo.yaml").rdbuf()
       << "\nlisten: 127.0.0.1:0\nlog: {level: 'info'}\n"
       << "overhead: {per_target: 1%, host: 0.01}\nlimits: &l {targets: 4, threads: 64}\n";
  const std::string valid = file.str();
  ASSERT_TRUE(parse(valid, "f")) << quick_error_of(valid);

  std::mt19937 random(20240711);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  const std::string spice = "[]{}:,-?&*!|>'\"%@`#\t \n~<.0\\";
  int parsed = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string yaml = valid;
    for (std::size_t edits = 1 + below(4); edits > 0 && !yaml.empty(); --edits) {
      const std::size_t at = below(yaml.size());
      switch (below(6)) {
        case 0:
          yaml[at] = static_cast<char>(random());
          break;
        case 1:
          yaml[at] = spice[below(spice.size())];
          break;
        case 2:
          yaml.insert(at, 1, spice[below(spice.size())]);
          break;
        case 3:
          yaml.erase(at, 1 + below(20));
          break;
        case 4:
          yaml.insert(below(yaml.size()), yaml.substr(at, below(80)));
          break;
        default:
          yaml.resize(at + 1);
      }
    }
    const auto result = parse(yaml, "f");
    if (result) {
      ++parsed;
      EXPECT_TRUE(check(*result)) << check(*result).error().text() << "\n" << yaml;
    } else {
      ASSERT_THAT(result.error().what.substr(0, 40),
                  MatchesRegex("f:[1-9][0-9]*:[1-9][0-9]*: (.|\n)*"));
    }
  }
  EXPECT_GT(parsed, 100);  // both outcomes are exercised
  EXPECT_LT(parsed, 1900);
}

class File : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "nz-config-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string write(const std::string& text) {
    const std::string path = (directory_ / "f.yaml").string();
    std::ofstream(path) << text;
    return path;
  }
  fs::path directory_;
};

TEST_F(File, IsReadAndNamed) {
  const std::string path = write("host: false\n");
  const auto config = load_file(path);
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_FALSE(config->host);
  EXPECT_EQ(config->source, path);
  const auto bad = load_file(write("host: true\nhots: 1\n"));
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().text(),
            path + ":2:1: unknown key 'hots' in the configuration (did you mean 'host'?)");
}

TEST_F(File, EmptyIsTheDefaults) {
  EXPECT_EQ(load_file(write(""))->targets.size(), 0U);
  EXPECT_TRUE(load_file("/dev/null"));
}

TEST_F(File, MissingDirectoryAndUnreadable) {
  const auto missing = load_file((directory_ / "none").string());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ENOENT);
  EXPECT_THAT(missing.error().text(), HasSubstr("No such file or directory (check the path"));

  const auto directory = load_file(directory_.string());
  ASSERT_FALSE(directory);
  EXPECT_THAT(directory.error().what, HasSubstr("is a directory"));

  const std::string path = write("");
  chmod(path.c_str(), 0);
  if (geteuid() == 0) {  // root reads everything: ask as somebody else
    ASSERT_EQ(seteuid(65534), 0);
    chmod(directory_.c_str(), 0755);
  }
  const auto unreadable = load_file(path);
  if (getuid() == 0) {
    ASSERT_EQ(seteuid(0), 0);
  }
  ASSERT_FALSE(unreadable);
  EXPECT_EQ(unreadable.error().code, EACCES);
}

TEST_F(File, LargeOnesAreRefusedUnread) {
  const std::string path = write("");
  ASSERT_EQ(truncate(path.c_str(), 50 << 20), 0);
  const auto result = load_file(path);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().what, HasSubstr("larger than 1 MiB"));
  EXPECT_THAT(load_file("/dev/zero").error().what, HasSubstr("larger than 1 MiB"));
}

TEST_F(File, ANamedPipeWithoutWriterDoesNotHang) {
  const std::string path = (directory_ / "pipe").string();
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_TRUE(load_file(path));
}

}  // namespace
}  // namespace nz::config
