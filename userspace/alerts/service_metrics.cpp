// Service::collect(): the agent's metrics about its alerts.
#include <map>

#include "userspace/alerts/service.h"

namespace nz::alerts {
namespace {

using metrics::Family;
using metrics::Type;

void one(std::vector<Family>& out, const char* name, const char* help, Type type, double value) {
  out.push_back({name, help, type, {{{}, value, nullptr}}});
}

}  // namespace

void Service::collect(std::vector<Family>& out) const {
  std::shared_ptr<const RuleFile> file;
  std::shared_ptr<const Seen> seen;
  Couriers couriers;
  std::size_t silences = 0;
  {
    const std::lock_guard lock(mutex_);
    file = file_;
    seen = seen_;
    couriers = couriers_;
    silences = silences_.all().size();
  }
  // Bounded by the rules, whatever they find; 0 as well, so that nobody asks for what is missing.
  std::map<std::pair<std::string, std::string>, std::map<std::string, double>> counts;
  for (const Rule& rule : file->rules) {
    for (const Severity severity : rule.severities())
      counts[{rule.name, word(severity)}] = {{"pending", 0}, {"firing", 0}, {"resolved", 0}};
  }
  for (const Alert& alert : seen->alerts) {
    const auto found = counts.find({alert.rule, word(alert.severity)});
    if (found != counts.end()) found->second[word(alert.state)]++;
  }
  Family alerts{"nearzero_alerts",
                "Alerts by rule and state; resolved: within the last quarter of an hour.",
                Type::gauge,
                {}};
  for (const auto& [key, states] : counts) {
    for (const auto& [state, count] : states) {
      alerts.samples.push_back(
          {{{"rule", key.first}, {"state", state}, {"severity", key.second}}, count, nullptr});
    }
  }
  out.push_back(std::move(alerts));
  one(out, "nearzero_alert_rules", "Alert rules that run.", Type::gauge,
      static_cast<double>(file->rules.size()));
  one(out, "nearzero_alert_rule_errors",
      "Mistakes in the rule files; rules that have one are left out. The log names them.",
      Type::gauge, static_cast<double>(file->problems.size()));
  Family no_data{"nearzero_alert_rule_no_data",
                 "1 for a rule that cannot be judged now, for some of its series at least.",
                 Type::gauge,
                 {}};
  std::map<std::string, double> unknown;
  for (const Rule& rule : file->rules) unknown[rule.name] = 0;
  for (const Engine::Unknown& one_of : seen->unknown) {
    const auto found = unknown.find(one_of.rule);  // not of a rule that was taken away since
    if (found != unknown.end()) found->second = 1;
  }
  for (const auto& [rule, value] : unknown)
    no_data.samples.push_back({{{"rule", rule}}, value, nullptr});
  out.push_back(std::move(no_data));
  one(out, "nearzero_alert_silences", "Silences in force.", Type::gauge,
      static_cast<double>(silences));
  one(out, "nearzero_alert_evaluation_seconds_total", "Seconds spent in judging alert rules.",
      Type::counter, seen->seconds);
  one(out, "nearzero_alert_state_errors_total", "Writes of the alerts' state file that failed.",
      Type::counter, keeper_ ? static_cast<double>(keeper_->errors()) : 0);

  std::map<std::string, std::map<std::string, double>> results;
  std::map<std::string, double> waiting;
  double dropped_by_outboxes = 0;
  for (const auto& courier : couriers) {
    const Courier::Stats stats = courier->stats();
    results[courier->receiver()]["ok"] += 0;
    for (const auto& [result, count] : stats.results)
      results[courier->receiver()][result] += static_cast<double>(count);
    waiting[courier->receiver()] += static_cast<double>(stats.waiting);
    dropped_by_outboxes += static_cast<double>(stats.dropped);
  }
  out.push_back({"nearzero_alert_dropped_total",
                 "Alerts that did not fit, by where: too many at a time.",
                 Type::counter,
                 {{{{"cause", "engine_full"}}, static_cast<double>(seen->dropped), nullptr},
                  {{{"cause", "rule_failed"}}, static_cast<double>(seen->failures), nullptr},
                  {{{"cause", "outbox_full"}}, dropped_by_outboxes, nullptr}}});
  Family sent{"nearzero_alert_notifications_total",
              "Messages to receivers of alerts, by how the attempt ended.",
              Type::counter,
              {}};
  for (const auto& [receiver, by_result] : results) {
    for (const auto& [result, count] : by_result)
      sent.samples.push_back({{{"receiver", receiver}, {"result", result}}, count, nullptr});
  }
  Family queue{"nearzero_alert_queue_length",
               "Alerts whose newest state a receiver has not been told yet.",
               Type::gauge,
               {}};
  for (const auto& [receiver, count] : waiting)
    queue.samples.push_back({{{"receiver", receiver}}, count, nullptr});
  out.push_back(std::move(sent));
  out.push_back(std::move(queue));
}

}  // namespace nz::alerts
