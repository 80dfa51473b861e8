#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/text.h"
#include "userspace/report/sections.h"

namespace nz::report {
namespace {

constexpr std::size_t kMostLosses = 30;
constexpr const char* kDrops = "nearzero_drops_total";
constexpr const char* kCost = "nearzero_probe_cost_seconds_total";

Table drops_table(const Facts& facts) {
  Table table;
  table.title = "Events that were not recorded, or in a degraded way";
  table.columns = {{"probe"}, {"cause"}, {"events", true}, {"per second", true}};
  auto dropped = facts.now.find(kDrops);
  std::erase_if(dropped, [](const auto* s) { return !(s->change > 0); });
  std::stable_sort(dropped.begin(), dropped.end(),
                   [](const auto* a, const auto* b) { return a->change > b->change; });
  for (const auto* s : dropped) {
    if (table.rows.size() == kMostLosses) {
      table.note = counted(static_cast<double>(dropped.size() - kMostLosses), "smaller one is",
                           "smaller ones are") +
                   " left out.";
      break;
    }
    table.rows.push_back({{code(shortened(analysis::label_of(*s, "probe"), 60)), Tone::none},
                          {code(shortened(analysis::label_of(*s, "cause"), 60)), Tone::none},
                          {{analysis::number_text(s->change)}, Tone::none},
                          {{analysis::number_text(s->change / facts.now.seconds())}, Tone::none}});
  }
  return table;
}

Table unattached_table(const Facts& facts) {
  Table table;
  table.title = "Probes that do not observe what they should";
  table.columns = {{"probe"}, {"of"}, {"why"}};
  for (const UnattachedProbe& u : facts.in.unattached) {
    if (table.rows.size() == kMostLosses) {
      table.note = counted(static_cast<double>(facts.in.unattached.size() - kMostLosses),
                           "further one is", "further ones are") +
                   " left out.";
      break;
    }
    table.rows.push_back({{code(shortened(u.probe, 60)), Tone::none},
                          {{shortened(u.target, 60)}, Tone::none},
                          {{shortened(u.reason, 400)}, Tone::none}});
  }
  return table;
}

Table cost_table(const Facts& facts) {
  Table table;
  table.title = "What observing cost";
  table.columns = {{"what"}, {"of one core", true}};
  const auto add = [&](Text what, double share) {
    if (std::isfinite(share))
      table.rows.push_back(
          {{std::move(what), Tone::none}, {{analysis::percent_text(share)}, Tone::none}});
  };
  const double agent = facts.rate("nearzero_agent_cpu_seconds_total");
  const double probes = facts.rate(kCost);
  add({"the agent"}, agent);
  std::map<std::string, double> by_probe;
  for (const auto* s : facts.now.find(kCost))
    by_probe[analysis::label_of(*s, "probe")] += s->change / facts.now.seconds();
  std::erase_if(by_probe, [](const auto& probe) { return !(probe.second >= 1e-6); });
  std::vector<std::pair<std::string, double>> sorted(by_probe.begin(), by_probe.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::size_t left_out = 0;
  for (const auto& [probe, share] : sorted) {
    if (table.rows.size() < kMostLosses) {
      add(std::move(Text("probe ").code(shortened(probe, 60))), share);
    } else {
      left_out++;
    }
  }
  if (left_out > 0) {
    table.note = counted(static_cast<double>(left_out), "probe that costs less is",
                         "probes that cost less are") +
                 " left out.";
  }
  if (std::isfinite(agent) && std::isfinite(probes)) add({"all together"}, agent + probes);
  return table;
}

Table duty_table(const Facts& facts) {
  Table table;
  table.title = "Probes that rested for part of the time, to hold the budget";
  table.columns = {{"probe"}, {"of"}, {"observed", true}};
  std::size_t left_out = 0;
  for (const auto* s : facts.now.find("nearzero_probe_observed_seconds_total")) {
    const double share = std::min(1.0, s->change / facts.now.seconds());
    // Two points of one series need not be of the same instant.
    if (share >= 0.97) continue;
    if (table.rows.size() == kMostLosses) {
      left_out++;
      continue;
    }
    table.rows.push_back({{code(shortened(analysis::label_of(*s, "probe"), 60)), Tone::none},
                          {{shortened(analysis::label_of(*s, "target"), 60)}, Tone::none},
                          {{analysis::percent_text(share)}, Tone::none}});
  }
  if (!table.rows.empty())
    table.note = "Quantiles, means and shares are unbiased by it; rates are per observed second.";
  if (left_out > 0) {
    table.note += " " +
                  counted(static_cast<double>(left_out), "further one is", "further ones are") +
                  " left out.";
  }
  return table;
}

std::string memory_sentence(const Facts& facts) {
  const auto resident = facts.now.value("nearzero_agent_resident_memory_bytes");
  const auto maps = facts.now.value("nearzero_map_memory_bytes");
  std::vector<std::string> parts;
  if (resident) parts.push_back(analysis::bytes_text(*resident) + " in the agent");
  if (maps) parts.push_back(analysis::bytes_text(*maps) + " in the kernel's maps");
  return parts.empty() ? "" : "Memory: " + listed(parts) + ". ";
}

}  // namespace

Section completeness_section(const Facts& facts) {
  Section section{"completeness", "How complete this is, and what it cost", {}};
  const Table drops = drops_table(facts);
  const Table unattached = unattached_table(facts);
  std::string text;
  if (!facts.in.range_covered) {
    text += "History does not reach back to the beginning of the range";
    if (facts.in.history_from > 0) text += ": it begins at " + time_text(facts.in.history_from);
    text += ". ";
  }
  if (facts.in.points_evicted > 0)
    text += counted(static_cast<double>(facts.in.points_evicted), "point", "points") +
            " of history went early for want of memory. ";
  if (drops.rows.empty() && !facts.empty()) text += "No event was dropped. ";
  if (unattached.rows.empty() && !facts.empty()) text += "Every probe is attached. ";
  text += memory_sentence(facts);
  const Extras& extras = facts.in.extras;
  std::vector<std::string> unknown;
  if (!extras.alerts) unknown.emplace_back("alert rules");
  if (!extras.regressions) unknown.emplace_back("lasting changes");
  if (!extras.forecasts) unknown.emplace_back("forecasts of limits");
  if (!extras.events) unknown.emplace_back("restarts and deployments");
  if (!unknown.empty()) text += "Not looked at: " + listed(unknown) + ". ";
  if (!text.empty()) section.blocks.emplace_back(Paragraph{{text}});
  for (const Table& table : {drops, unattached, duty_table(facts), cost_table(facts)}) {
    if (!table.rows.empty()) section.blocks.emplace_back(table);
  }
  const Host& host = extras.host;
  std::vector<std::string> about;
  if (!host.version.empty()) about.push_back("nearzero " + shortened(host.version, 40));
  if (!host.kernel.empty()) about.push_back("Linux " + shortened(host.kernel, 80));
  if (host.cpus > 0)
    about.push_back(std::to_string(host.cpus) + (host.cpus == 1 ? " CPU" : " CPUs"));
  if (host.memory_bytes > 0)
    about.push_back(analysis::bytes_text(host.memory_bytes) + " of memory");
  std::string made = "Made at " + time_text(facts.in.created);
  if (!about.empty()) made += " by " + listed(about);
  section.blocks.emplace_back(Paragraph{{made + "."}, Tone::quiet});
  return section;
}

}  // namespace nz::report
