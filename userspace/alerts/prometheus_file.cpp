// prometheus_file(): rules as the text of a Prometheus rule file.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "userspace/alerts/amount.h"
#include "userspace/alerts/promql.h"

namespace nz::alerts {
namespace {

/// A double-quoted scalar of YAML.
std::string scalar(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

/// `{{` of a text would be code for Prometheus.
std::string literal(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text.compare(i, 2, "{{") == 0) {
      out += "{{ \"{{\" }}";
      i++;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// A rule's texts in Prometheus' templates; `lost` gets the names that it does not know.
std::string annotations_of(const Rule& rule, const PromRule& made, std::vector<std::string>& lost) {
  if (made.asks_agent)
    return "          summary: \"" + rule.name +
           " fires in the agent of {{ $labels.instance }}: see nearzero alerts list\"\n";
  const Severity severity = made.severity.value_or(rule.severity);
  Fields texts = made.texts;
  texts["host"] = "{{ $labels.instance }}";
  texts["rule"] = texts["labels.alertname"] = rule.name;
  texts["severity"] = texts["labels.severity"] = word(severity);
  std::string out;
  for (const auto& [name, text] : rule.annotations) {
    std::string filled;
    for (const Template::Part& part : text.parts()) {
      const auto known = texts.find(part.text);
      if (!part.is_name) {
        filled += literal(part.text);
      } else if (known != texts.end()) {
        filled += known->second;
      } else if (part.text.starts_with("labels.")) {
        filled += "{{ $" + part.text + " }}";
      } else {
        filled += "(see nearzero alerts list)";
        if (std::find(lost.begin(), lost.end(), part.text) == lost.end()) lost.push_back(part.text);
      }
    }
    out += fmt::format("          {}: {}\n", name, scalar(filled));
  }
  return out;
}

/// The window that `absent` does not have is waited for.
double wait_of(const Rule& rule, const PromRule& made) {
  if (made.asks_agent) return 0;
  const auto* absence = std::get_if<Absence>(&rule.condition);
  return rule.for_seconds + (absence != nullptr && absence->least == 0 ? absence->window : 0);
}

void add_rule(const Rule& rule, PromRule& made, PrometheusFile& file) {
  std::vector<std::string> lost;
  const std::string annotations = annotations_of(rule, made, lost);
  if (!lost.empty())
    made.notes.push_back(
        fmt::format("texts lack what the agent alone knows: {}", fmt::join(lost, ", ")));
  for (const std::string& note : made.notes) {
    file.notes.push_back(rule.name + ": " + note);
    file.yaml += "      # " + note + "\n";
  }
  file.yaml +=
      fmt::format("      - alert: {}\n        expr: {}\n", rule.name, scalar(made.expression));
  const double wait = wait_of(rule, made);
  if (wait > 0) file.yaml += fmt::format("        for: {}\n", time_text(wait));
  if (rule.keep_firing_seconds > 0 && !made.asks_agent)
    file.yaml += fmt::format("        keep_firing_for: {}\n", time_text(rule.keep_firing_seconds));
  file.yaml += fmt::format("        labels:\n          severity: {}\n",
                           word(made.severity.value_or(rule.severity)));
  for (const auto* labels : {&std::as_const(made.labels), &rule.labels}) {
    for (const auto& [name, value] : *labels)
      file.yaml += fmt::format("          {}: {}\n", name, scalar(literal(value)));
  }
  if (!annotations.empty()) file.yaml += "        annotations:\n" + annotations;
}

}  // namespace

PrometheusFile prometheus_file(const std::vector<Rule>& rules, const std::string& source) {
  PrometheusFile file;
  file.yaml = fmt::format(
      "# Made by `nearzero alerts prometheus {}`; change that file and make this one anew.\n"
      "groups:\n  - name: nearzero_alerts\n    rules:{}\n",
      source, rules.empty() ? " []" : "");
  for (const Rule& rule : rules) {
    for (PromRule& made : to_promql(rule)) add_rule(rule, made, file);
  }
  return file;
}

}  // namespace nz::alerts
