// nearzero report: what happened in a range of time, from the running agent or, over many hosts,
// from a Prometheus.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "userspace/base/clock.h"
#include "userspace/base/exit_codes.h"
#include "userspace/cli/terminal.h"
#include "userspace/client/client.h"
#include "userspace/commands/command.h"
#include "userspace/fleet/fleet.h"
#include "userspace/report/document/writers.h"
#include "userspace/report/gather.h"
#include "userspace/report/schedule.h"
#include "userspace/rest/time.h"

namespace nz::commands {
namespace {

struct ReportOptions {
  std::string from, to = "now", compare = "previous", title, format, output;
  std::string url = "http://127.0.0.1:9718", token_file, ca_file;
  std::string prometheus, job;
};

constexpr const char* kTimeRemedy =
    "use RFC 3339 (2026-11-27T09:00:00Z), Unix seconds, or a time before now (-2h)";

CLI::Validator time_validator() {
  const auto check = [](std::string& text) -> std::string {
    return rest::parse_time(text, unix_seconds()) ? std::string()
                                                  : "'" + text + "' is not a time; " + kTimeRemedy;
  };
  return {check, "TIME", "time"};
}

CLI::Validator compare_validator() {
  const auto check = [](std::string& text) -> std::string {
    return report::parse_compare(text) ? std::string()
                                       : "'" + text + "' is no period; " + report::kCompareRemedy;
  };
  return {check, "PERIOD", "period"};
}

// What was asked for, else what the file's name tells; a terminal and a pipe read Markdown.
std::string format_of(const ReportOptions& options) {
  if (!options.format.empty()) return options.format;
  for (const auto& [ending, format] :
       {std::pair{".html", "html"}, {".htm", "html"}, {".md", "md"}, {".json", "json"}}) {
    if (options.output.ends_with(ending)) return format;
  }
  return options.output.empty() ? "md" : "html";
}

// Also where it is redirected to a file, which would then be written to twice.
bool is_stdout(const std::string& path) {
  struct stat there {
  }, out{};
  return path.empty() || path == "-" ||
         (stat(path.c_str(), &there) == 0 && fstat(STDOUT_FILENO, &out) == 0 &&
          there.st_dev == out.st_dev && there.st_ino == out.st_ino);
}

int deliver(const ReportOptions& options, const std::string& text) {
  if (is_stdout(options.output)) return cli::write_out(text) ? kOk : kFailed;
  const auto written = report::write_output(options.output, text, 0644);
  if (!written) return report("report", written.error(), kFailed);
  return cli::write_out(fmt::format("{}: {} KB\n", options.output, (text.size() + 1023) / 1024))
             ? kOk
             : kFailed;
}

client::Options connection(const ReportOptions& options, const std::string& url) {
  client::Options c;
  c.url = url;
  c.token_file = options.token_file;
  c.ca_file = options.ca_file;
  return c;
}

// ---- one host, from its agent

int of_agent(const ReportOptions& options) {
  client::Options how = connection(options, options.url);
  how.start_it = "start it: nearzero agent; or name its address with --url";
  auto agent = client::Client::make(std::move(how));
  if (!agent) return report("report", agent.error(), kUsage);
  nlohmann::json asked = {{"compare", options.compare}, {"to", options.to}};
  asked["from"] = options.from.empty() ? "-15m" : options.from;
  if (!options.title.empty()) asked["title"] = options.title;
  constexpr const char* kReports = "/performance/reports";
  const auto made =
      agent->post(kReports, asked.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                  "application/json");
  if (!made) return report("report", made.error(), kNotRunning);
  if (made->status != 201) {
    Error error = agent->refusal(*made, kReports);
    if (made->status == 409) error.remedy = "ask for a later or longer time: --from, --to";
    return report("report", error, made->status == 400 ? kUsage : kFailed);
  }
  // Only the path: the agent may know itself by another name.
  const std::string place = made->location;
  if (!place.starts_with(kReports))
    return report("report", Error{options.url + " made a report and does not say where", ""},
                  kFailed);
  const std::string format = format_of(options);
  const auto written = agent->get(place, {{"format", format == "md"     ? "markdown"
                                                     : format == "json" ? "document"
                                                                        : "html"}});
  if (!written) return report("report", written.error(), kNotRunning);
  if (written->status != 200) return report("report", agent->refusal(*written, place), kFailed);
  return deliver(options, written->body);
}

// ---- many hosts, from a Prometheus

int of_fleet(const ReportOptions& options) {
  client::Options how = connection(options, options.prometheus);
  how.who = "Prometheus";
  how.start_it = "is it running, and is this its address?";
  how.timeout = 120;
  auto client = client::Client::make(std::move(how));
  if (!client) return report("report", client.error(), kUsage);
  const double at = unix_seconds();
  fleet::Ask ask;
  ask.to = *rest::parse_time(options.to, at);
  ask.from = *rest::parse_time(options.from.empty() ? "-1h" : options.from, at);
  if (!(ask.from < ask.to))
    return report("report", Error{"--from is not before --to", "exchange them"}, kUsage);
  const auto compare = *report::parse_compare(options.compare);
  ask.shift = report::shift_of(compare, ask.from, ask.to);
  ask.before_name = report::name_of(compare, ask.from, ask.to);
  ask.job = options.job;
  ask.url = options.prometheus;
  fleet::Prometheus prometheus(std::move(*client));
  Result<fleet::Fleet> found = tl::unexpected(Error{});
  {
    cli::Progress progress("asking Prometheus:");
    found = fleet::gather(prometheus, ask,
                          [&](std::size_t done, std::size_t all) { progress.at(done, all); });
  }
  if (!found) return report("report", found.error(), kFailed);
  report::Document document = fleet::make_document(*found, at);
  if (!options.title.empty()) document.title = options.title;
  const std::string format = format_of(options);
  return deliver(options, format == "html" ? to_html(document)
                          : format == "md" ? to_markdown(document)
                                           : to_json(document));
}

}  // namespace

Command add_report(CLI::App& app) {
  auto options = std::make_shared<ReportOptions>();
  auto* sub = app.add_subcommand("report",
                                 "What happened, what it cost, what to do: HTML, Markdown or JSON");
  sub->add_option("--from", options->from,
                  "Begin: RFC 3339, Unix seconds, or before now; default -15m, of a fleet -1h")
      ->check(time_validator());
  sub->add_option("--to", options->to, "End")->check(time_validator())->capture_default_str();
  sub->add_option("--compare", options->compare,
                  "With what: previous (the same length right before), how much earlier (1d), none")
      ->check(compare_validator())
      ->capture_default_str();
  sub->add_option("-o,--output", options->output, "File, whole or not at all; default: to be read");
  sub->add_option("-f,--format", options->format,
                  "html, md or json; default: by the file's ending, without a file md")
      ->check(CLI::IsMember({"html", "md", "json"}));
  sub->add_option("--title", options->title, "Title, at most 200 bytes");
  sub->add_option("--url", options->url, "Where the agent listens")
      ->envname("NEARZERO_URL")
      ->capture_default_str();
  auto* prometheus = sub->add_option("--prometheus", options->prometheus,
                                     "Compare the hosts that this Prometheus scrapes");
  sub->add_option("--job", options->job, "Of Prometheus: only hosts of this job")
      ->needs(prometheus);
  sub->add_option("--token-file", options->token_file, "File whose first line is the bearer token")
      ->envname("NEARZERO_TOKEN_FILE");
  sub->add_option("--ca", options->ca_file,
                  "PEM file of the authority that signed the certificate");
  sub->footer(
      examples({{"nearzero report", "the last 15 minutes, to be read here"},
                {"nearzero report -o report.html", "one file, for a browser or an e-mail"},
                {"nearzero report --from -30s --compare none -f json", "for programs"},
                {"nearzero report --from -2m --title 'after the deploy' | head -20", ""},
                {"nearzero report --url http://127.0.0.1:9800 -o report.md", "of another agent"}},
               "Of many hosts: nearzero report --prometheus http://HOST:9090 -o hosts.html\n"
               "See docs/reports.md."));
  return {sub, [options] {
            return options->prometheus.empty() ? of_agent(*options) : of_fleet(*options);
          }};
}

}  // namespace nz::commands
