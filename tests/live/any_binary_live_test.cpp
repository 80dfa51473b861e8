// `nearzero list` and `trace` on any binary: Rust, half a gigabyte, names of a kilobyte, aliases,
// ifuncs, static and packed files, libraries that are replaced under their users.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/live/harness/trace.h"

namespace nz::live {
namespace {

using nlohmann::json;

const std::string kFolder = std::string(NZ_WORKLOADS) + "/";

void shell(const std::string& command) {
  Program program({"/bin/sh", "-c", command});
  ASSERT_EQ(program.wait(60), 0) << command << program.err();
}

// Traces `what` in `workload`, which is told to go, to its end.
json rows_of(Program& workload, const std::vector<std::string>& what) {
  std::vector<std::string> arguments;
  for (const std::string& w : what) arguments.push_back("func:" + w);
  arguments.insert(arguments.end(), {"-p", std::to_string(workload.pid())});
  Trace trace(arguments);
  workload.signal(SIGUSR2);
  EXPECT_EQ(workload.wait(60), 0) << workload.err();
  return trace.end();
}

// ---- Rust

TEST(AnyRust, ALibraryInRustIsCountedCallByCall) {
  // C's functions, written in Rust; nobody else here uses them.
  Trace trace({"func:librsvg-2:rsvg_handle_new"});
  Program python({"/usr/bin/python3", "-c",
                  "import ctypes\n"
                  "rsvg = ctypes.CDLL('librsvg-2.so.2')\n"
                  "for i in range(321): rsvg.rsvg_handle_new()\n"});
  ASSERT_EQ(python.wait(30), 0) << python.err();
  const json rows = trace.end();
  EXPECT_EQ(count_of(row_of(rows, "func", "rsvg_handle_new")), 321U) << rows;
}

TEST(AnyRust, AStrippedExecutableIsSaidToBeStripped) {
  for (const char* command : {"list", "trace"}) {
    const std::string what = command == std::string("list") ? "/usr/bin/rg:*" : "func:rg:*";
    const Outcome o = run({command, what});
    EXPECT_EQ(o.code, 9) << o.err;
    EXPECT_TRUE(says(o.err, {"/usr/bin/rg", "no function symbols", "stripped"}));
  }
}

// ---- large

TEST(AnyBinary, OfHalfAGigabyteIsListedInLittleMemoryAndCounted) {
  const std::string folder = temporary_file("large", "") + ".d";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/large.c")
      << "#include <unistd.h>\n"
         "#include <signal.h>\n"
         "#define F(n) __attribute__((noipa)) int f##n(int x) { return x + n; }\n"
         "F(1) F(2) F(3)\n"
         "asm(\".section .rodata.pad,\\\"a\\\"\\n.incbin \\\"pad\\\"\\n.text\");\n"
         "static void go(int s) { (void)s; }\n"
         "int main(void) { signal(SIGUSR2, go); write(2, \"ready\\n\", 6); pause();\n"
         "  int x = 0; for (int i = 0; i < 777; i++) x += f1(i) + f2(i); return x == 1; }\n";
  shell("cd " + folder + " && truncate -s 500M pad && gcc -O2 -o large large.c && rm pad");
  const std::string large = folder + "/large";
  ASSERT_GT(std::filesystem::file_size(large), 500U << 20);
  Program list({"/usr/bin/python3", "-c",
                "import resource, subprocess, sys\n"
                "subprocess.run(sys.argv[1:], check=True)\n"
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)\n",
                NZ_AGENT, "list", large + ":f?", "-f", "json"});
  ASSERT_EQ(list.wait(20), 0) << list.err();
  EXPECT_EQ(list.json()["matched"], 3) << list.out();
  EXPECT_LT(std::stol(list.err()), 300'000) << "KB";
  Program program({large});
  ASSERT_TRUE(program.wait_for_text("ready", 10));
  const json rows = rows_of(program, {":f?"});
  EXPECT_EQ(count_of(row_of(rows, "func", "f1")), 777U) << rows;
  EXPECT_EQ(count_of(row_of(rows, "func", "f2")), 777U);
  EXPECT_EQ(count_of(row_of(rows, "func", "f3")), 0U);
  std::filesystem::remove_all(folder);
}

// ---- names

TEST(AnyName, OfMoreThanAKilobyteIsCutInTheTableAndWholeInJson) {
  const std::string place = kFolder + "nz-names:names::templated*";
  // On a terminal of 120 columns.
  Program text({"/usr/bin/script", "-qec",
                std::string("stty cols 120; ") + NZ_AGENT + " list '" + place + "'", "/dev/null"});
  ASSERT_EQ(text.wait(20), 0) << text.out();
  EXPECT_TRUE(says(text.out(), {"names::templated<", "1 of 1 functions"}));
  std::istringstream lines(text.out());
  for (std::string line; std::getline(lines, line);) EXPECT_LT(line.size(), 130U) << line;
  const json all = json::parse(run({"list", place, "-f", "json"}).out);
  ASSERT_EQ(all["functions"].size(), 1U);
  EXPECT_GT(all["functions"][0]["name"].get<std::string>().size(), 1000U);
  Workload names("nz-names", {"--count", "400"});
  const json rows = rows_of(names, {place});
  ASSERT_EQ(rows.size(), 1U) << rows;
  EXPECT_EQ(count_of(rows[0]), 400U);
  EXPECT_GT(rows[0]["what"].get<std::string>().size(), 1000U) << "the whole name";
}

TEST(AnyName, OverloadsTogetherAndOneByOne) {
  Workload both("nz-names", {"--count", "400"});
  uint64_t sum = 0;
  for (const json& row : rows_of(both, {":names::overloaded"})) sum += count_of(row);
  EXPECT_EQ(sum, 800U);
  Workload one("nz-names", {"--count", "400"});
  const json rows = rows_of(one, {":names::overloaded(double)"});
  ASSERT_EQ(rows.size(), 1U) << rows;
  EXPECT_EQ(count_of(rows[0]), 400U);
}

TEST(AnyName, AliasesAreOnePlaceThatCountsTheCallsOfBoth) {
  for (const char* name : {"nz_first_name", "nz_second_name", "nz_*_name"}) {
    Workload names("nz-names", {"--count", "400"});
    const json rows = rows_of(names, {std::string(":") + name});
    ASSERT_EQ(rows.size(), 1U) << name << rows;
    EXPECT_EQ(count_of(rows[0]), 800U) << name;
  }
  const Outcome o = run({"check", kFolder + "nz-names:nz_first_name", "-s", "0"});
  EXPECT_TRUE(says(o.out, {"same code nz_second_name"}));
}

TEST(AnyName, AColdPartIsNotTheFunction) {
  Workload names("nz-names", {"--count", "400"});
  const json rows = rows_of(names, {":nz_split*"});
  ASSERT_EQ(rows.size(), 1U) << "the part is not called: " << rows;
  EXPECT_EQ(count_of(rows[0]), 400U);
  const json all = json::parse(run({"list", kFolder + "nz-names:nz_split.*", "-f", "json"}).out);
  ASSERT_EQ(all["matched"], 1) << all;
  EXPECT_EQ(all["functions"][0]["symbol"], "nz_split.cold") << "shown to whoever asks for parts";
}

TEST(AnyName, AnIfuncIsRefusedWithTheReasonAndItsImplementationCounted) {
  for (const std::string& place : {kFolder + "nz-names:nz_ifunc", std::string("libc:strlen")}) {
    const Outcome o = run({"trace", "func:" + place, "-d", "1"});
    EXPECT_EQ(o.code, 9) << o.err;
    EXPECT_TRUE(says(o.err, {"ifunc", "resolver", "name the implementation"}));
  }
  Workload names("nz-names", {"--count", "400"});
  const json rows = rows_of(names, {":nz_chosen_implementation"});
  EXPECT_EQ(count_of(row_of(rows, "func", "nz_chosen")), 400U);
}

// ---- kinds of files

TEST(AnyFile, AtAFixedAddressAndWithoutALoader) {
  for (const char* program : {"nz-names-fixed", "nz-names-static"}) {
    Workload names(program, {"--count", "400"});
    const json rows = rows_of(names, {":nz_split", ":nz_chosen_implementation"});
    EXPECT_EQ(count_of(row_of(rows, "func", "nz_split")), 400U) << program << rows;
    EXPECT_EQ(count_of(row_of(rows, "func", "nz_chosen")), 400U) << program << rows;
  }
}

TEST(AnyFile, WithoutSectionHeadersAsPackersLeaveItIsRefusedWithTheReason) {
  const std::string packed = temporary_file("packed", "");
  std::filesystem::copy_file(kFolder + "nz-names", packed,
                             std::filesystem::copy_options::overwrite_existing);
  // e_shoff at 40, e_shnum and e_shstrndx at 60: no sections. The program still runs.
  std::fstream file(packed, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(40).write("\0\0\0\0\0\0\0\0", 8);
  file.seekp(60).write("\0\0\0\0", 4);
  file.close();
  Program still({packed, "--count", "1"});
  EXPECT_EQ(still.wait(10), 0) << still.err();
  for (const char* command : {"list", "trace"}) {
    const Outcome o = run({command, (command[0] == 't' ? "func:" : "") + packed + ":nz_split"});
    EXPECT_EQ(o.code, 9) << o.err;
    EXPECT_TRUE(says(o.err, {"no section headers", "packed"}));
  }
}

TEST(AnyFile, ALibraryReplacedUnderItsUserAndAfterTheUsersRestart) {
  const std::string folder = temporary_file("replaced", "") + ".d";
  std::filesystem::create_directories(folder);
  const std::string library = folder + "/libsqlite3.so.0";
  const auto install = [&] {  // as dpkg does: a new file under the old name
    std::filesystem::copy_file(
        std::filesystem::canonical("/usr/lib/x86_64-linux-gnu/libsqlite3.so.0"), library + ".new");
    std::filesystem::rename(library + ".new", library);
  };
  const auto start = [&] {
    auto program = std::make_unique<Program>(
        std::vector<std::string>{kFolder + "nz-sqlite", "--mode", "insert", "--count", "300",
                                 "--truth", "--wait"},
        std::vector<std::string>{"LD_LIBRARY_PATH=" + folder});
    EXPECT_TRUE(program->wait_for_text("ready pid=", 20)) << program->err();
    return program;
  };
  install();
  auto before = start();
  install();
  // The file has no name any more.
  const json old_rows = rows_of(*before, {"libsqlite3:sqlite3_step"});
  EXPECT_GE(before->json()["steps"].get<uint64_t>(), 300U);
  EXPECT_GE(count_of(row_of(old_rows, "func", "step")), before->json()["steps"].get<uint64_t>());
  auto after = start();
  const json new_rows = rows_of(*after, {"libsqlite3:sqlite3_step"});
  EXPECT_EQ(count_of(row_of(new_rows, "func", "step")), count_of(row_of(old_rows, "func", "step")));
}

TEST(AnyFile, AStrippedStaticSqliteIsSaidToBeUnobservable) {
  const std::string stripped = temporary_file("nz-bare", "");
  shell("strip -o " + stripped + " " + kFolder + "nz-sqlite-static && chmod +x " + stripped);
  Program sqlite({stripped, "--mode", "insert", "--count", "1", "--wait"});
  ASSERT_TRUE(sqlite.wait_for_text("ready pid=", 20)) << sqlite.err();
  json mine;
  const json all = json::parse(run({"list", "sqlite", "-f", "json"}).out);
  for (const json& p : all["processes"])
    if (p["pid"] == sqlite.pid()) mine = p;
  ASSERT_FALSE(mine.is_null()) << all;
  EXPECT_EQ(mine["linkage"], "static");
  EXPECT_TRUE(mine["plans"].empty()) << mine;
  EXPECT_NE(mine["missing"].dump().find("stripped"), std::string::npos) << mine;
  const Outcome trace = run({"trace", "sqlite", "-p", std::to_string(sqlite.pid()), "-d", "0.2"});
  EXPECT_EQ(trace.code, 0) << trace.err;
  EXPECT_TRUE(says(trace.err, {"no SQLite with symbols", "nearzero list sqlite"}));
}

}  // namespace
}  // namespace nz::live
