// Real functions of installed programs and libraries, in C, C++ and Go: every call is counted, as
// bpftrace counts it in the same run, and the program's output is what it is without probes.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <sstream>

#include "tests/live/harness/agent.h"
#include "tests/live/harness/command.h"

namespace nz::live {
namespace {

using nlohmann::json;

struct Subject {
  const char* name;
  std::string binary;
  std::vector<std::string> functions;
  std::vector<std::string> command;
};

const std::string kLibraries = "/usr/lib/x86_64-linux-gnu/";

std::vector<Subject> subjects() {
  const std::string file = temporary_file("subject", std::string(300'000, 'x'));
  // The shell that runs the tests is the same program: ours is a copy of it.
  const std::string shell = temporary_file("nz-shell", "");
  std::filesystem::copy_file("/usr/bin/bash", shell,
                             std::filesystem::copy_options::overwrite_existing);
  return {
      {"sqlite3",
       kLibraries + "libsqlite3.so.0",
       {"sqlite3_step", "sqlite3_prepare_v2", "sqlite3_finalize", "sqlite3_column_text",
        "sqlite3_free"},
       {"/usr/bin/sqlite3", ":memory:",
        "create table t(a,b); with recursive n(i) as (select 1 union all select i+1 from n where "
        "i<500) "
        "insert into t select i, 'x'||i from n; select count(*), sum(a) from t; select * from t "
        "where a%100=0;"}},
      {"python",
       "/usr/bin/python3.11",
       {"PyObject_GetAttr", "PyList_Append", "PyDict_SetItem", "PyUnicode_FromString",
        "PyTuple_New", "PyObject_Repr"},
       {"/usr/bin/python3.11", "-I", "-c",
        "import json; print(len(json.dumps([repr({str(i): [i]}) for i in range(2000)])))"}},
      {"zlib",
       kLibraries + "libz.so.1",
       {"deflate", "inflate", "crc32", "adler32"},
       {"/usr/bin/python3.11", "-I", "-c",
        "import zlib; d=b'abc'*50000; c=[zlib.compress(d[i:]) for i in range(40)]; "
        "print(sum(zlib.crc32(zlib.decompress(x)) for x in c), zlib.adler32(d))"}},
      {"bash",
       shell,
       {"execute_command", "find_variable", "xmalloc", "make_word_list", "evalexp", "bind_variable",
        "dispose_command"},
       {shell, "--norc", "-c",
        "f() { local x=$(( $1 * 2 )); echo \"$x\"; }; for i in 1 2 3 4 5 6 7 8 9; do f $i; done"}},
      {"openssl",
       kLibraries + "libcrypto.so.3",
       {"EVP_DigestUpdate", "EVP_DigestInit_ex", "EVP_DigestFinal_ex", "BIO_read", "CRYPTO_malloc",
        "EVP_MD_CTX_new"},
       {"/usr/bin/openssl", "dgst", "-sha256", file}},
      {"perl",
       "/usr/bin/perl",
       {"Perl_av_push", "Perl_hv_common", "Perl_sv_setpvn", "Perl_newSVpvn"},
       {"/usr/bin/perl", "-e",
        "my %h; for (1..2000) { $h{$_} = \"v$_\"; push @a, $_ } print scalar(keys %h), scalar(@a), "
        "\"\\n\""}},
      {"libstdc++",
       kLibraries + "libstdc++.so.6",
       {"_Znwm", "_ZdlPv", "_ZNSo5flushEv"},
       {"/usr/bin/cmake", "--version"}},
      {"go", "/usr/bin/prometheus", {"main.main"}, {"/usr/bin/prometheus", "--version"}},
  };
}

// The command's own calls: whoever else uses a library meanwhile is another matter.
std::string comm_of(const Subject& subject) {
  return subject.command[0].substr(subject.command[0].rfind('/') + 1, 15);  // TASK_COMM_LEN
}

std::string run_bare(const std::vector<std::string>& command) {
  Program program(command);
  EXPECT_EQ(program.wait(60), 0) << command[0] << program.err();
  return program.out();
}

// bpftrace's counts by function. Go has no symbols there: offsets in the file are used instead. Its
// grammar has no '+' in a path.
class Bpftrace {
 public:
  Bpftrace(const Subject& subject, const std::map<std::string, uint64_t>& addresses) {
    const std::string plain = temporary_file("subject", "") + ".link";
    std::filesystem::remove(plain);
    std::filesystem::create_symlink(subject.binary, plain);
    std::string text = "BEGIN { printf(\"attached\\n\"); } ";
    for (const std::string& function : subject.functions) {
      const auto at = addresses.find(function);
      text += "uprobe:" + plain + ":" +
              (at == addresses.end() ? function : std::to_string(at->second)) + " /comm == \"" +
              comm_of(subject) + "\"/ { @[\"" + function + "\"] = count(); } ";
    }
    program_ = std::make_unique<Program>(
        std::vector<std::string>{"/usr/bin/bpftrace", "--unsafe", "-e", text});
    EXPECT_TRUE(
        eventually([this] { return program_->out().find("attached") != std::string::npos; }, 20))
        << program_->err();
  }
  std::map<std::string, uint64_t> end() {
    program_->signal(SIGINT);
    EXPECT_EQ(program_->wait(20), 0) << program_->err();
    std::map<std::string, uint64_t> counts;
    std::istringstream lines(program_->out());
    std::string line;
    while (std::getline(lines, line)) {  // @[name]: 12
      const size_t close = line.find("]: ");
      if (line.starts_with("@[") && close != std::string::npos)
        counts[line.substr(2, close - 2)] = std::stoull(line.substr(close + 3));
    }
    return counts;
  }

 private:
  std::unique_ptr<Program> program_;
};

class RealFunctions : public ::testing::TestWithParam<size_t> {};

TEST_P(RealFunctions, EveryCallIsCountedAndNothingChanges) {
  const Subject subject = subjects().at(GetParam());
  if (access(subject.binary.c_str(), R_OK) != 0) FAIL() << subject.binary << " is missing";
  const std::string bare = run_bare(subject.command);

  std::vector<std::string> arguments = {NZ_AGENT, "trace", "--yes", "-f", "json", "--by", "comm"};
  std::map<std::string, uint64_t> addresses;
  for (const std::string& function : subject.functions) {
    arguments.push_back("func:" + subject.binary + ":" + function);
    const Outcome listed = run({"list", subject.binary + ":" + function, "-f", "json"});
    ASSERT_EQ(listed.code, 0) << listed.err;
    const json found = json::parse(listed.out);
    if (std::string(subject.name) == "go") addresses[function] = found["functions"][0]["offset"];
  }
  Program trace(arguments);
  ASSERT_TRUE(eventually([] { return anything_loaded(); }, 20)) << trace.err();
  sleep_seconds(0.7);
  Bpftrace peer(subject, addresses);
  EXPECT_EQ(run_bare(subject.command), bare) << "the output under probes";
  trace.signal(SIGINT);
  ASSERT_EQ(trace.wait(20), 0) << trace.err();
  const auto theirs = peer.end();

  std::map<std::string, uint64_t> ours;
  for (const json& interval : json_lines(trace.out())) {
    for (const json& row : interval["rows"])
      if (row["by"]["comm"] == comm_of(subject)) ours[row["what"]] += row["count"].get<uint64_t>();
  }
  for (const std::string& function : subject.functions) {
    const auto expected = theirs.find(function);
    ASSERT_NE(expected, theirs.end()) << function << " was not called: a test of nothing";
    std::string shown = function;
    if (function.starts_with("_Z"))  // rows have the demangled name
      shown = function == "_Znwm"    ? "operator new"
              : function == "_ZdlPv" ? "operator delete"
                                     : "std::ostream::flush";
    EXPECT_EQ(ours[shown], expected->second) << function << "\n" << trace.out() << trace.err();
  }
}

std::string name_of(const ::testing::TestParamInfo<size_t>& info) {
  static const std::vector<std::string> names = {"sqlite",  "python", "zlib",      "bash",
                                                 "openssl", "perl",   "libstdcxx", "go"};
  return names[info.param];
}

INSTANTIATE_TEST_SUITE_P(All, RealFunctions, ::testing::Range<size_t>(0, 8), name_of);

}  // namespace
}  // namespace nz::live
