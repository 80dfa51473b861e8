// What a configuration means, and what is said about one that means nothing.
#include <gmock/gmock.h>

#include <algorithm>

#include "userspace/config/config.h"

namespace nz::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

std::string error_of(const std::string& yaml) {
  const auto result = parse(yaml, "f");
  return result ? std::string("no error") : result.error().text();
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
}

TEST(Parse, EmptyFilesAreTheDefaults) {
  Config expected = defaults();
  expected.source = "f";
  for (const char* yaml : {"", "\n", "# only a comment\n", "---\n", "{}", "~", "\xef\xbb\xbf",
                           "targets:\nlog:\nlimits:\noverhead:\n"}) {
    const auto result = parse(yaml, "f");
    ASSERT_TRUE(result) << yaml << result.error().text();
    EXPECT_EQ(*result, expected) << yaml;
  }
}

TEST(Parse, ReadsEveryKey) {
  const auto result = parse(R"(
listen: "[::1]:0"
http: {tls: {certificate: /c.pem, key: /k.pem}, token_file: /tokens, rate_limit: 10, rate_burst: 1.5,
       cors_origins: ["https://desk.example", "http://[::1]:3000"]}
drain_interval: 250ms
host: false
runtime_dir: /tmp/nz
overhead: {per_target: 2.5%, host: 0.5, breaker_factor: 4, breaker_seconds: 0.5, duty_cycle: false,
           calibrate: false}
profile: {hz: 7, window: 90s}
history: {path: /h.db, raw: 2h, minutes: 1d, hours: 90d, most_mib: 64}
alerts: {rules: [/a.yaml, /b.yaml], state: ""}
reports: {folder: /r, keep: 7, schedule: [{name: daily, every: 1d, offset: 6h, compare: 7d, format: md,
          title: Day}, {name: hourly, every: 60m}]}
log: {level: off, file: /var/log/nz}
limits: {targets: 3, statements: 10, syscalls: 20, stages: 30, threads: 0x400}
targets:
  - name: a:1
    match: {pid: 7, comm: 'nz-*', exe: /bin/*, cgroup: /system.slice, cmdline: "--x"}
    follow_forks: false
    scheduler: false
    syscalls: true
    sqlite: {library: libsqlite3.so.0, plan: step, slow: 10ms, keep_literals: true, explain: true}
    stages:
      - {name: s, function: 'f', binary: /lib/x.so, nothrow: true}
      - {name: t, from: a, to: b, binary: libx.so}
    labels: {job: orders, instance: 'orders:9100'}
  - {name: b, match: {comm: b}, sqlite: true}
  - {name: c, match: {comm: c}, sqlite: {enabled: false, plan: boundary}}
)",
                            "f");
  ASSERT_TRUE(result) << result.error().text();
  Config want;
  want.http = {"/c.pem", "/k.pem", "/tokens",
               10,       1.5,      {"https://desk.example", "http://[::1]:3000"}};
  want.source = "f";
  want.listen = "[::1]:0";
  want.drain_interval = milliseconds(250);
  want.host = false;
  want.runtime_dir = "/tmp/nz";
  want.overhead = {0.025, 0.5, 4, 0.5, false, false};
  want.profile = {7, milliseconds(90'000)};
  want.history = {"/h.db", hours(2), hours(24), hours(90 * 24), 64};
  want.alerts = {{"/a.yaml", "/b.yaml"}, ""};
  ReportSchedule hourly;
  hourly.name = "hourly";
  hourly.every = hours(1);
  want.reports = {"/r", 7, {{"daily", hours(24), hours(6), "7d", "md", "Day"}, hourly}};
  want.log = {"off", "/var/log/nz"};
  want.limits = {3, 10, 20, 30, 1024};
  Target a;
  a.name = "a:1";
  a.match = {7, "nz-*", "/bin/*", "/system.slice", "--x"};
  a.follow_forks = a.scheduler = false;
  a.syscalls = a.sqlite = true;
  a.sqlite_library = "libsqlite3.so.0";
  a.sqlite_plan = "step";
  a.sqlite_slow = "10ms";
  a.sqlite_keep_literals = a.sqlite_explain = true;
  a.stages = {{"s", "f", "", "", "/lib/x.so", true}, {"t", "", "a", "b", "libx.so", false}};
  a.labels = {"orders", "orders:9100"};
  Target b;
  b.name = "b";
  b.match.comm = "b";
  b.sqlite = true;
  Target c;
  c.name = "c";
  c.match.comm = "c";
  c.sqlite_plan = "boundary";
  want.targets = {a, b, c};
  EXPECT_EQ(*result, want);
}

TEST(Parse, TargetsHaveTheirDefaults) {
  const auto result = parse("targets: [{name: a, match: {comm: x}}]", "f");
  ASSERT_TRUE(result) << result.error().text();
  Target want;
  want.name = "a";
  want.match.comm = "x";
  EXPECT_EQ(result->targets.at(0), want);
}

TEST(Parse, AnchorsAndAliasesAreExpanded) {
  const auto result = parse(
      "targets:\n"
      "  - {name: a, match: &m {comm: x}}\n"
      "  - {name: b, match: *m}\n",
      "f");
  ASSERT_TRUE(result) << result.error().text();
  EXPECT_EQ(result->targets.at(1).match.comm, "x");
}

struct Bad {
  const char* yaml;
  std::vector<const char*> says;
};
class EachMistake : public testing::TestWithParam<Bad> {};

TEST_P(EachMistake, IsNamedOnceWithItsPlaceAndARemedy) {
  const std::string error = error_of(GetParam().yaml);
  for (const char* part : GetParam().says) EXPECT_THAT(error, HasSubstr(part)) << GetParam().yaml;
  EXPECT_EQ(lines(error), 1U) << error;
  EXPECT_THAT(error, HasSubstr(" (")) << "no remedy";
}

#define TARGET(match_and_more) "targets:\n  - name: a\n    match: {comm: x}\n" match_and_more
#define STAGE(keys) TARGET("    stages:\n      - name: s\n") keys

INSTANTIATE_TEST_SUITE_P(
    UnknownKeys, EachMistake,
    testing::Values(Bad{TARGET("    stagse: []\n"),
                        {"f:4:5: unknown key 'stagse' in targets[0]", "did you mean 'stages'?"}},
                    Bad{"Listen: x:1", {"f:1:1: unknown key 'Listen'", "did you mean 'listen'?"}},
                    Bad{"log:\n  levle: info", {"f:2:3:", "did you mean 'level'?"}},
                    Bad{"overhead: {per-target: 1%}", {"f:1:12:", "did you mean 'per_target'?"}},
                    Bad{"zzzzzzzz: 1", {"known here: alerts, drain_interval, history, host, http"}},
                    Bad{"a/b~c: 1", {"unknown key 'a/b~c'"}}, Bad{"'': 1", {"unknown key ''"}},
                    Bad{TARGET("    sqlite: {librray: x}\n"), {"targets[0].sqlite", "'library'"}},
                    Bad{"targets: [{name: a, match: {command: x}}]",
                        {"f:1:29:", "did you mean 'comm'?"}}));

INSTANTIATE_TEST_SUITE_P(
    WrongTypes, EachMistake,
    testing::Values(
        Bad{"host: yes",
            {"f:1:7: host: expected true or false, found the text 'yes' (write true)"}},
        Bad{"host: 'true'", {"expected true or false", "without quotes"}},
        Bad{"host:", {"f:1:1: host: expected true or false, found nothing"}},
        Bad{"listen: 9718", {"listen: expected a text, found the number 9718"}},
        Bad{"drain_interval: 1",
            {"expected a text, found the number 1", "write for instance \"1s\""}},
        Bad{"limits: {targets: 4.5}", {"expected a whole number, found the number 4.5"}},
        Bad{"limits: {targets: 99999999999999999999}", {"expected a whole number"}},
        Bad{"limits: {targets: '4'}", {"expected a whole number, found the text '4'"}},
        Bad{"overhead: {breaker_seconds: 3s}", {"expected a number, found the text '3s'"}},
        Bad{"overhead: {per_target: true}", {"expected a number or a text, found true"}},
        Bad{"targets: {name: a}", {"targets: expected a list, found a map", "- "}},
        Bad{"targets: [x]",
            {"write `key: value`", "f:1:11: targets[0]: expected a map, found the text 'x'"}},
        Bad{"log: []", {"log: expected a map, found a list"}},
        Bad{"[]", {"f:1:1: the configuration: expected a map, found a list"}},
        Bad{"just text", {"the configuration: expected a map, found the text 'just text'"}},
        Bad{"targets: [{name: 12, match: {comm: x}}]", {"targets[0].name: expected a text"}},
        Bad{"targets: [{name: a, match: {comm: 12}}]", {"put it in quotes: \"12\""}},
        Bad{TARGET("    sqlite: maybe\n"),
            {"targets[0].sqlite: expected true or false or a map"}}));

INSTANTIATE_TEST_SUITE_P(
    OutOfRange, EachMistake,
    testing::Values(
        Bad{"overhead: {per_target: 0}",
            {"f:1:24: overhead.per_target: 0 is out of range", "above 0"}},
        Bad{"overhead: {per_target: 1.01}", {"1.01 is out of range"}},
        Bad{"overhead: {per_target: -1}", {"-1 is out of range"}},
        Bad{"overhead: {per_target: .inf}", {"'.inf' is not a percentage"}},
        Bad{"overhead: {per_target: 0%}", {"f:1:24: overhead.per_target: 0% is out of range"}},
        Bad{"overhead: {host: 101%}", {"overhead.host: 101% is out of range"}},
        Bad{"overhead: {host: 1 %}", {"'1 %' is not a percentage"}},
        Bad{"overhead: {breaker_factor: 0.5}", {"must be at least 1 and at most 1000"}},
        Bad{"drain_interval: 1ms", {"drain_interval: 1ms is out of range, must be 50ms to 10m"}},
        Bad{"drain_interval: 11m", {"out of range"}},
        Bad{"profile: {window: 0s}", {"profile.window: 0ms is out of range, must be 1s to 10m"}},
        Bad{"profile: {hz: 10000}", {"profile.hz"}},
        Bad{"history: {raw: 1m}", {"history.raw: 1m is out of range, must be 1h to 3660d"}},
        Bad{"history: {raw: 2d, minutes: 1d}", {"history.minutes: 1d is out of range, must be 2d"}},
        Bad{"history: {path: here.db}", {"history.path"}},
        Bad{"alerts: {rules: alerts.yaml}", {"alerts.rules"}},
        Bad{"reports: {keep: 0}", {"reports.keep: 0 is out of range", "at least 1"}},
        Bad{"reports: {folder: here}", {"reports.folder: 'here' is not an absolute path"}},
        Bad{"reports: {schedule: [{every: 1h}]}", {"'name' is missing"}},
        Bad{"reports: {schedule: [{name: a/b}]}", {"reports.schedule[0].name: 'a/b' is not"}},
        Bad{"reports: {schedule: [{name: ..}]}", {"reports.schedule[0].name: '..' is not"}},
        Bad{"reports: {schedule: [{name: a, every: 10s}]}",
            {"reports.schedule[0].every: 10s is out of range, must be 1m to 366d"}},
        Bad{"reports: {schedule: [{name: a, every: 1h, offset: 1h}]}",
            {"f:1:51: reports.schedule[0].offset: 1h is not shorter than a period of 1h"}},
        Bad{"reports: {schedule: [{name: a, compare: 0d}]}", {"compare: '0d' is not previous"}},
        Bad{"reports: {schedule: [{name: a, format: pdf}]}", {"'pdf' is not one of"}},
        Bad{"reports: {schedule: [{name: a}, {name: a}]}",
            {"duplicate schedule name 'a', first at f:1:29"}},
        Bad{"history: {path: ''}\nreports: {schedule: [{name: a}]}",
            {"f:2:21: reports.schedule: the reports would be kept nowhere", "reports.folder"}},
        Bad{"drain_interval: 1h", {"'1h' is not a number with a unit"}},
        Bad{"drain_interval: -1s", {"'-1s' is not"}}, Bad{"drain_interval: ''", {"'' is not"}},
        Bad{"limits: {targets: 16}", {"at most 15"}}, Bad{"limits: {targets: 0}", {"at least 1"}},
        Bad{"limits: {stages: -1}", {"at least 1"}},
        Bad{"limits: {threads: 1000}", {"1000 is not one of 0, 64, 128"}},
        Bad{"log: {level: warning}", {"'warning' is not one of trace", "did you mean 'warn'?"}},
        Bad{"log: {level: INFO}", {"did you mean 'info'?"}},
        Bad{"runtime_dir: run", {"'run' is not an absolute path"}},
        Bad{"log: {file: nz.log}", {"'nz.log' is not an absolute path"}},
        Bad{"targets: [{name: a, match: {pid: 0}}]", {"targets[0].match.pid: 0 is out of range"}},
        Bad{TARGET("    sqlite: {plan: rows}\n"), {"'rows' is not one of auto, step, boundary"}},
        Bad{TARGET("    labels: {job: ''}\n"), {"targets[0].labels.job: is empty"}},
        Bad{TARGET("    labels: {jobs: x}\n"), {"did you mean 'job'?"}},
        Bad{TARGET("    labels: {instance: 9100}\n"), {"expected a text", "\"9100\""}}));

TEST(Target, IsObservedAlikeUnderOtherLabels) {
  Target a;
  a.name = "a";
  Target b = a;
  b.labels = {"gateway", "gateway-1:9100"};
  EXPECT_TRUE(a.observed_like(b)) << "a reload of labels detaches nothing";
  EXPECT_NE(a, b);
  b.sqlite = true;
  EXPECT_FALSE(a.observed_like(b));
}

INSTANTIATE_TEST_SUITE_P(Addresses, EachMistake,
                         testing::Values(Bad{"listen: localhost",
                                             {"f:1:9: listen: 'localhost' is not host:port"}},
                                         Bad{"listen: ':9718'", {"not host:port"}},
                                         Bad{"listen: 'h:'", {"is too short"}},
                                         Bad{"listen: 'h:65536'", {"not host:port"}},
                                         Bad{"listen: 'h:-1'", {"not host:port"}},
                                         Bad{"listen: '::1:9718'", {"not host:port", "[::1]:9718"}},
                                         Bad{"listen: '[]:9718'", {"not host:port"}},
                                         Bad{"listen: 'http://h:1'", {"not host:port"}},
                                         Bad{"listen: 'h:97 18'", {"not host:port"}}));

INSTANTIATE_TEST_SUITE_P(
    Origins, EachMistake,
    testing::Values(
        Bad{"http: {cors_origins: ['*']}",
            {"f:1:23: http.cors_origins[0]: '*' would let every web page read",
             "name each origin"}},
        Bad{"http: {cors_origins: ['null']}", {"'null' is the origin of any file"}},
        Bad{"http: {cors_origins: [desk.example]}", {"'desk.example' does not begin with http://"}},
        Bad{"http: {cors_origins: ['file:///x']}", {"does not begin with http://"}},
        Bad{"http: {cors_origins: ['https://desk.example/']}",
            {"has something behind the host", "write \"https://desk.example\""}},
        Bad{"http: {cors_origins: ['https://Desk.example']}",
            {"has capital letters", "write \"https://desk.example\""}},
        Bad{"http: {cors_origins: ['https://*.example']}",
            {"is a pattern; origins are compared exactly"}},
        Bad{"http: {cors_origins: ['https://me@desk.example']}", {"has a user"}},
        Bad{"http: {cors_origins: ['https://']}", {"has no valid host"}},
        Bad{"http: {cors_origins: ['https://a b']}", {"has no valid host"}},
        Bad{"http: {cors_origins: ['http://[::1']}", {"has no valid host"}},
        Bad{"http: {cors_origins: ['https://a:0']}", {"has no valid port"}},
        Bad{"http: {cors_origins: ['https://a:65536']}", {"has no valid port"}},
        Bad{"http: {cors_origins: ['https://a:']}", {"has no valid port"}},
        Bad{"http: {cors_origins: ['https://a:443']}",
            {"names the scheme's own port", "write \"https://a\""}},
        Bad{"http: {cors_origins: ['http://a', 'http://b', 'http://a']}",
            {"f:1:47: duplicate origin 'http://a', first at f:1:23", "remove one"}},
        Bad{"http: {cors_origins: 'https://a'}", {"http.cors_origins: expected a list"}}));

INSTANTIATE_TEST_SUITE_P(
    TargetsAndStages, EachMistake,
    testing::Values(
        Bad{"targets: [{match: {comm: x}}]",
            {"f:1:11: targets[0]: 'name' is missing", "`name: \"gateway\"`"}},
        Bad{"targets: [{name: a}]", {"targets[0]: 'match' is missing"}},
        Bad{"targets: [{name: a, match: {}}]",
            {"targets[0].match: at least one condition is needed",
             "give one of cgroup, cmdline, comm, exe, pid"}},
        Bad{"targets: [{name: a, match: {comm: ''}}]", {"targets[0].match.comm: is empty"}},
        Bad{"targets: [{name: a b, match: {comm: x}}]", {"'a b' is not 1 to 63 of the characters"}},
        Bad{"targets: [{name: '', match: {comm: x}}]", {"'' is not 1 to 63"}},
        Bad{"targets: [{name: a, match: {comm: sixteen_letters_}}]",
            {"'sixteen_letters_' never matches", "'sixteen_letters'"}},
        Bad{STAGE(""), {"f:5:9: targets[0].stages[0]: needs 'function', or 'from' and 'to'"}},
        Bad{STAGE("        from: x\n"),
            {"f:6:9: targets[0].stages[0]: 'from' without 'to'", "add `to:`"}},
        Bad{STAGE("        to: x\n"), {"f:6:9: targets[0].stages[0]: 'to' without 'from'"}},
        Bad{STAGE("        function: x\n        from: y\n        to: z\n"),
            {"f:8:9: targets[0].stages[0]: 'function' and 'from' and 'to' exclude each other"}},
        Bad{STAGE("        function: x\n        to: z\n"),
            {"'function' and 'to' exclude each other"}},
        Bad{STAGE("        from: y\n        to: z\n        nothrow: true\n"),
            {"f:8:18:", "'nothrow' without 'function'"}},
        Bad{STAGE("        function: y\n        binary: ./x.so\n"),
            {"f:7:17:", "'./x.so' is a relative path"}},
        Bad{TARGET("    sqlite: {library: lib/x.so}\n"), {"'lib/x.so' is a relative path"}},
        Bad{"targets:\n  - {name: a, match: {comm: x}}\n  - {name: a, match: {comm: y}}\n",
            {"f:3:12: duplicate target name 'a', first at f:2:12", "rename"}},
        Bad{TARGET("    stages:\n      - {name: s, function: x}\n      - {name: s, function: y}\n"),
            {"f:6:16: duplicate stage name 's', first at f:5:16"}},
        Bad{"limits: {targets: 1}\ntargets:\n  - {name: a, match: {comm: x}}\n  - {name: b, match: "
            "{comm: y}}\n",
            {"f:4:5: 2 targets, but limits.targets is 1"}},
        Bad{"limits: {stages: 1}\n" TARGET(
                "    stages:\n      - {name: s, function: x}\n      - {name: t, function: y}\n"),
            {"f:7:9: more stages than limits.stages, which is 1"}}));

INSTANTIATE_TEST_SUITE_P(
    Syntax, EachMistake,
    testing::Values(Bad{"host: true\nlisten: 'x:1'\nhost: false\n",
                        {"f:3:1: duplicate key 'host', first at line 1"}},
                    Bad{"log:\n  level: info\n  level: warn\n",
                        {"f:3:3: duplicate key 'level', first at line 2"}},
                    Bad{"a: [1, 2\n", {"f:2:1: not valid YAML"}},
                    Bad{"a: b: c", {"f:1:5: not valid YAML"}},
                    Bad{"\thost: true", {"f:1:", "not valid YAML"}},
                    Bad{"listen: \"x", {"not valid YAML"}},
                    Bad{"listen: *nowhere", {"f:1:9: not valid YAML"}},
                    Bad{"a: &a [*a]", {"f:1:8: this alias refers"}},
                    Bad{"host: !!bool true", {"tags are not supported"}},
                    Bad{"host: true\n---\nhost: true\n", {"f:3:1: a second YAML document"}},
                    Bad{"? [a]\n: 1\n", {"f:1:3: a key in the configuration is not a word"}},
                    Bad{"listen: |\n  x:1\n", {"a line break or control character"}},
                    Bad{"listen: \"x\\0y:1\"\n", {"a line break or control character"}},
                    Bad{"<<: {}\n", {"unknown key '<<'", "merge keys"}}));

TEST(Parse, ReportsEverythingInTheOrderOfTheFile) {
  const std::string error = error_of(
      "lisen: x:1\n"
      "drain_interval: 3\n"
      "targets:\n"
      "  - name: a\n"
      "    match: {comm: x}\n"
      "    stages: [{name: s}]\n"
      "  - name: a\n"
      "    mach: {comm: x}\n"
      "log: {level: loud}\n");
  EXPECT_EQ(lines(error), 7U) << error;
  EXPECT_THAT(error, StartsWith("f:1:1: unknown key 'lisen'"));
  EXPECT_THAT(error, HasSubstr("\nf:2:17: drain_interval: expected a text"));
  EXPECT_THAT(error, HasSubstr("\nf:6:14: targets[0].stages[0]: needs"));
  EXPECT_THAT(error, HasSubstr("\nf:7:11: duplicate target name 'a', first at f:4:11"));
  EXPECT_THAT(error,
              HasSubstr("\nf:8:5: unknown key 'mach' in targets[1] (did you mean 'match'?)"));
  EXPECT_THAT(error, HasSubstr("targets[1]: 'match' is missing"));
  EXPECT_THAT(error, HasSubstr("\nf:9:14: log.level: 'loud' is not one of"));
}

TEST(Parse, ACertificateAndItsKeyBelongTogether) {
  EXPECT_THAT(error_of("http: {tls: {certificate: /c}}"),
              StartsWith("f:1:27: http.tls.certificate without http.tls.key (give both"));
  EXPECT_THAT(error_of("http: {tls: {key: /k}}"), HasSubstr("http.tls.key without"));
  EXPECT_THAT(error_of("http: {tls: {certificate: c, key: k}}"), HasSubstr("an absolute path"));
  EXPECT_THAT(error_of("http: {tokenfile: /t}"), HasSubstr("did you mean 'token_file'?"));
  EXPECT_THAT(error_of("http: {rate_limit: 0}"), HasSubstr("out of range, must be at least 1"));
}

TEST(Parse, StopsAtTwentyLines) {
  std::string yaml;
  for (int i = 0; i < 50; ++i) yaml += "unknown" + std::to_string(i) + ": 1\n";
  const std::string error = error_of(yaml);
  EXPECT_EQ(lines(error), 20U);
  EXPECT_THAT(error, HasSubstr("\n... and 31 more problems"));
}

TEST(Parse, AnAliasedMistakeIsReportedOnce) {
  EXPECT_EQ(lines(error_of("targets:\n"
                           "  - {name: a, match: &m {com: x}}\n"
                           "  - {name: b, match: *m}\n")),
            2U);  // the key is named for each target that uses it
}

TEST(Parse, SixteenPairStagesFitATargetSeventeenDoNot) {
  std::string yaml = TARGET("    stages:\n");
  for (int i = 0; i < 16; ++i)
    yaml += "      - {name: s" + std::to_string(i) + ", from: a, to: b}\n";
  EXPECT_TRUE(parse(yaml, "f")) << error_of(yaml);
  EXPECT_THAT(error_of(yaml + "      - {name: t, from: a, to: b}\n"),
              HasSubstr("f:21:9: more than 16 from/to stages in one target"));
}

TEST(Parse, NamesHaveUpTo63Characters) {
  const auto with = [](std::size_t length) {
    return "targets: [{name: " + std::string(length, 'n') + ", match: {comm: x}}]";
  };
  EXPECT_TRUE(parse(with(63), "f"));
  EXPECT_THAT(error_of(with(64)), HasSubstr("is not 1 to 63"));
}

TEST(Check, NamesTheKeyWhereThereIsNoFile) {
  Config config;
  EXPECT_TRUE(check(config));
  config.listen = "nowhere";
  config.log.level = "loud";
  const auto result = check(config);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().what, HasSubstr("listen: listen: 'nowhere' is not host:port"));
  EXPECT_THAT(result.error().what, HasSubstr("log.level: log.level: 'loud'"));
}

}  // namespace
}  // namespace nz::config
