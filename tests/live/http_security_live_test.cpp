// Who may ask the real agent, and who may not: certificates by openssl, clients curl and openssl.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <random>
#include <vector>

#include "tests/free_port.h"
#include "tests/live/harness/agent.h"
#include "tests/live/harness/command.h"
#include "userspace/base/exit_codes.h"
#include "userspace/base/fd.h"

namespace nz::live {
namespace {

using Clock = std::chrono::steady_clock;

const std::string kToken = "0123456789abcdef0123456789abcdef";
const std::string kNextToken = "fedcba9876543210fedcba9876543210";

Outcome shell(const std::string& command) {
  Program program({"/bin/sh", "-c", command});
  const int code = program.wait(60);
  return {code, program.out(), program.err()};
}

std::string file(const std::string& name, const std::string& content = "") {
  const std::string path = temporary_file(name, content);
  chmod(path.c_str(), 0600);
  return path;
}

// A self-signed certificate for 127.0.0.1 and its key.
struct Identity {
  std::string certificate = file("server.pem"), key = file("server.key");
  explicit Identity(int days = 30, const std::string& name = "first") { make(days, name); }
  void make(int days, const std::string& name) const {
    const std::string common = " -key " + key + " -out " + certificate + ".new -subj /CN=" + name +
                               " -addext subjectAltName=IP:127.0.0.1,IP:0.0.0.0";
    const std::string command =
        "openssl ecparam -name prime256v1 -genkey -noout -out " + key + " && " +
        (days > 0 ? "openssl req -x509 -days " + std::to_string(days) + common
                  // Of the past: req has no option for it, ca and x509 have.
                  : "openssl req -new" + common + " && openssl x509 -req -in " + certificate +
                        ".new -key " + key + " -days -1 -out " + certificate + ".new") +
        " && mv " + certificate + ".new " + certificate;
    const Outcome made = shell(command);
    EXPECT_EQ(made.code, 0) << made.err;
  }
};

// An agent that listens on every interface.
class OpenAgent {
 public:
  explicit OpenAgent(const std::string& more = "") {
    config_ = file("open.yaml", yaml(more));
    program_ =
        std::make_unique<Program>(std::vector<std::string>{NZ_AGENT, "agent", "--config", config_});
    EXPECT_TRUE(program_->wait_for_text("ready after", 60)) << program_->err();
  }
  [[nodiscard]] std::string yaml(const std::string& more = "") const {
    return "listen: 0.0.0.0:" + std::to_string(port_) + "\nruntime_dir: " + file("run") +
           ".d\noverhead: {calibrate: false}\nhttp:\n  tls: {certificate: " +
           identity_.certificate + ", key: " + identity_.key + "}\n  token_file: " + tokens_ +
           "\n" + more;
  }
  // "STATUS" on the last line of the output, behind headers and body.
  [[nodiscard]] Outcome curl(const std::string& options,
                             const std::string& path = "/readyz") const {
    return shell("curl -sS -i -m 10 --cacert " + identity_.certificate + " " + options +
                 " -w '\\n%{http_code}' https://127.0.0.1:" + std::to_string(port_) + path);
  }
  [[nodiscard]] std::string status(const std::string& options,
                                   const std::string& path = "/readyz") const {
    const Outcome outcome = curl(options, path);
    return outcome.out.substr(outcome.out.rfind('\n') + 1);
  }
  [[nodiscard]] static std::string with(const std::string& token) {
    return "-H 'Authorization: Bearer " + token + "'";
  }
  // A sample line of /metrics, as it is printed.
  [[nodiscard]] double metric(const std::string& series) const {
    sleep_seconds(2.1);  // two drains
    const std::string text = curl(with(kToken), "/metrics").out;
    const size_t at = text.find("\n" + series + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 2));
  }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] Program& program() { return *program_; }
  [[nodiscard]] const Identity& identity() const { return identity_; }
  void set_tokens(const std::string& text) const { std::ofstream(tokens_) << text; }
  void hang_up() {
    program_->signal(SIGHUP);
    sleep_seconds(1.5);
  }

 private:
  int port_ = tests::free_port();
  Identity identity_;
  std::string tokens_ = file("tokens", kToken + "\n");
  std::string config_;
  std::unique_ptr<Program> program_;
};

// `nearzero agent` with this configuration ends at once.
Outcome refused(const std::string& yaml) {
  const std::string config = file("refused.yaml", yaml);
  const Outcome start = run({"agent", "--config", config});
  const Outcome checked = run({"agent", "--config", config, "--check-config"});
  EXPECT_EQ(start.code, kBadConfig) << start.err;
  EXPECT_EQ(checked.code, kBadConfig) << checked.err;
  EXPECT_EQ(checked.err, start.err);
  return start;
}

std::string http_yaml(const Identity& identity, const std::string& tokens) {
  return "listen: 0.0.0.0:0\nhttp: {tls: {certificate: " + identity.certificate +
         ", key: " + identity.key + "}, token_file: " + tokens + "}\n";
}

TEST(HttpSecurity, AnOpenAddressNeedsCertificateAndToken) {
  const Identity identity;
  const std::string tokens = file("tokens", kToken);
  const std::string listen = "listen: 0.0.0.0:0\n";
  for (const std::string& yaml : {listen, listen + "http: {token_file: " + tokens + "}\n",
                                  listen + "http: {tls: {certificate: " + identity.certificate +
                                      ", key: " + identity.key + "}}\n"}) {
    EXPECT_TRUE(says(refused(yaml).err, {"0.0.0.0:0", "http.tls.certificate", "http.tls.key",
                                         "http.token_file", "127.0.0.1"}));
  }
}

TEST(HttpSecurity, FilesThatDoNotHoldAreRefusedAtStart) {
  const Identity identity;
  const Identity other;
  const Identity expired(0);
  const std::string tokens = file("tokens", kToken);
  EXPECT_TRUE(says(refused(http_yaml(expired, tokens)).err,
                   {"http.tls.certificate", "expired on ", "renew"}));
  Identity mixed = identity;
  mixed.key = other.key;
  EXPECT_TRUE(says(refused(http_yaml(mixed, tokens)).err, {"http.tls.key", "is not the key of"}));
  mixed.key = tokens;
  EXPECT_TRUE(says(refused(http_yaml(mixed, tokens)).err, {"no usable private key"}));
  mixed = identity;
  mixed.certificate = tokens;
  EXPECT_TRUE(says(refused(http_yaml(mixed, tokens)).err, {"no certificate can be read"}));

  chmod(tokens.c_str(), 0644);
  EXPECT_TRUE(says(refused(http_yaml(identity, tokens)).err,
                   {"http.token_file", "every user", ("chmod 600 " + tokens).c_str()}));
  chmod(tokens.c_str(), 0600);
  chmod(identity.key.c_str(), 0604);
  EXPECT_TRUE(says(refused(http_yaml(identity, tokens)).err,
                   {"http.tls.key", ("chmod 600 " + identity.key).c_str()}));
  chmod(identity.key.c_str(), 0600);
  EXPECT_TRUE(says(refused(http_yaml(identity, file("short", "0123456789"))).err,
                   {"a token of 10 characters", "at least 32", "openssl rand -hex 32"}));
}

TEST(HttpSecurity, AnswersWhoHasTheTokenAndNobodyElse) {
  OpenAgent agent;
  const Outcome good = agent.curl(OpenAgent::with(kToken), "/metrics");
  EXPECT_TRUE(says(good.out, {"200", "nearzero_build_info", "X-Content-Type-Options: nosniff",
                              "Cache-Control: no-store", "Content-Security-Policy:"}));
  const Outcome none = agent.curl("");
  EXPECT_TRUE(says(none.out, {"401", "WWW-Authenticate: Bearer realm=\"nearzero\"\r\n",
                              "application/problem+json", "\"status\": 401"}));
  EXPECT_TRUE(
      says(agent.curl(OpenAgent::with(kNextToken)).out, {"401", "error=\"invalid_token\""}));
  EXPECT_EQ(agent.status(OpenAgent::with(kToken) + " -X DELETE"), "405");
  EXPECT_EQ(agent.status(OpenAgent::with(kToken) + " --tls-max 1.2"), "200");
  EXPECT_EQ(agent.status(OpenAgent::with(kToken) + " -I"), "200");
  // TLS 1.1 was asked for: no handshake. --ciphers: curl's own library refuses it else.
  EXPECT_EQ(agent.status(OpenAgent::with(kToken) +
                         " --tlsv1.0 --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0"),
            "000");
  // Without --cacert the certificate is nobody's.
  EXPECT_NE(
      shell("curl -sS -m 5 https://127.0.0.1:" + std::to_string(agent.port()) + "/readyz").code, 0);
  // Plain HTTP to the TLS port gets no answer, and harms nobody.
  EXPECT_NE(
      shell("curl -sS -m 5 http://127.0.0.1:" + std::to_string(agent.port()) + "/readyz").code, 0);
  EXPECT_EQ(agent.status(OpenAgent::with(kToken)), "200");
  EXPECT_EQ(agent.metric("nearzero_http_rejected_total{cause=\"token\"}"), 2);
  EXPECT_GE(agent.metric("nearzero_http_rejected_total{cause=\"no_request\"}"), 2);
  EXPECT_GT(agent.metric("nearzero_http_certificate_expires_seconds"), 1.7e9);
  agent.program().signal(SIGTERM);
  EXPECT_EQ(agent.program().wait(20), 0);
}

std::string presented(const OpenAgent& agent) {
  return shell("openssl s_client -connect 127.0.0.1:" + std::to_string(agent.port()) +
               " </dev/null 2>/dev/null | openssl x509 -noout -subject")
      .out;
}

TEST(HttpSecurity, CertificateAndTokensChangeOnSighupWithoutDroppingConnections) {
  OpenAgent agent;
  EXPECT_TRUE(says(presented(agent), {"first"}));
  // Asks with the old token on one connection, before and after.
  const std::string request = "GET /readyz HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Bearer ";
  Program open(
      {"/bin/sh", "-c",
       "(printf '" + request + kToken + "\\r\\n\\r\\n'; sleep 5; printf '" + request + kNextToken +
           "\\r\\nConnection: close\\r\\n\\r\\n'; sleep 1)" +
           " | openssl s_client -quiet -connect 127.0.0.1:" + std::to_string(agent.port())});
  sleep_seconds(1);
  agent.identity().make(30, "second");
  agent.set_tokens(kToken + "\n" + kNextToken + "\n");
  agent.hang_up();
  EXPECT_TRUE(says(presented(agent), {"second"}));
  EXPECT_EQ(agent.status(OpenAgent::with(kToken)), "200");
  EXPECT_EQ(agent.status(OpenAgent::with(kNextToken)), "200");
  EXPECT_EQ(open.wait(30), 0);
  const std::string answers = open.out();
  EXPECT_NE(answers.find("200 OK"), std::string::npos) << answers << open.err();
  EXPECT_NE(answers.find("200 OK", answers.find("200 OK") + 1), std::string::npos) << answers;

  agent.set_tokens(kNextToken + "\n");
  agent.hang_up();
  EXPECT_EQ(agent.status(OpenAgent::with(kToken)), "401");
  EXPECT_EQ(agent.status(OpenAgent::with(kNextToken)), "200");
  // A certificate that has expired is not taken over; the one before stays.
  agent.identity().make(0, "third");
  agent.hang_up();
  EXPECT_TRUE(says(agent.program().err(), {"the HTTP interface stays as it is", "expired on"}));
  EXPECT_TRUE(says(presented(agent), {"second"}));
}

TEST(HttpSecurity, TooManyRequestsAreRefusedWithRetryAfter) {
  OpenAgent agent("  rate_limit: 20\n  rate_burst: 40\n");
  // One connection, 60 requests at once: 40 of the burst, less its handshake, and what comes in.
  const Outcome many =
      shell("curl -sS -m 20 -k " + OpenAgent::with(kToken) +
            " -o /dev/null -w '%{http_code} %header{retry-after}\\n' " +
            "'https://127.0.0.1:" + std::to_string(agent.port()) + "/readyz?[1-60]'");
  const auto count = [&](const std::string& what) {
    size_t n = 0;
    for (size_t at = many.out.find(what); at != std::string::npos; at = many.out.find(what, at + 1))
      n++;
    return n;
  };
  EXPECT_EQ(count("200 ") + count("429 "), 60U) << many.out << many.err;
  EXPECT_GE(count("200 "), 25U);
  EXPECT_GE(count("429 1"), 5U) << many.out;
}

// Clients that begin a handshake and stop, a byte a second, and thousands that say nothing.
TEST(HttpSecurity, ScrapesAreAnsweredBehindThousandsOfHalfOpenConnections) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  OpenAgent agent("  rate_limit: 100000\n  rate_burst: 100000\n");
  const double before = agent.metric("nearzero_agent_resident_memory_bytes");
  ASSERT_GT(before, 0);
  std::vector<Fd> clients;
  std::mt19937 random(3);
  // The beginning of a ClientHello, and less.
  const std::string hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
  double worst = 0;
  for (int i = 0; i < 4'000; i++) {
    Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(agent.port()));
    address.sin_addr.s_addr = htonl(0x7f000001U + random() % 8);  // 127.0.0.1 to .8
    connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    send(fd.get(), hello.data(), random() % hello.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    clients.push_back(std::move(fd));
    if (i % 500 != 499) continue;
    const Outcome scrape =
        shell("curl -sS -m 10 -o /dev/null -w '%{http_code} %{time_total}' --cacert " +
              agent.identity().certificate + " " + OpenAgent::with(kToken) +
              " https://127.0.0.1:" + std::to_string(agent.port()) + "/metrics");
    EXPECT_TRUE(says(scrape.out, {"200 "})) << scrape.err;
    worst = std::max(worst, std::atof(scrape.out.c_str() + 4));
  }
  std::printf("slowest scrape behind 4,000 half-open connections: %.0f ms\n", worst * 1e3);
  EXPECT_LT(worst, 1.0);
  const double grown = agent.metric("nearzero_agent_resident_memory_bytes") - before;
  std::printf("memory grown by %.1f MB\n", grown / 1e6);
  EXPECT_LT(grown, 100e6);
  EXPECT_GT(agent.metric("nearzero_http_rejected_total{cause=\"crowded\"}"), 1'000);
}

}  // namespace
}  // namespace nz::live
