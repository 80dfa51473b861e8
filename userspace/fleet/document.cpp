#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "analysis/text.h"
#include "userspace/fleet/fleet.h"

namespace nz::fleet {
namespace {

using namespace report;  // the words that a document is made of

constexpr std::size_t kMostRows = 200, kMostCards = 20, kMostBullets = 12, kMostLinesDrawn = 40;

/// One figure in which one host is not like the others.
struct Odd {
  const FigureKind* kind = nullptr;
  const HostFigure* host = nullptr;
  double median = 0, z = 0;
  bool worse = false;
};

struct Facts {
  std::set<std::string> hosts;
  std::vector<Odd> odd;  ///< worse ones of orders first, then the farthest
  std::set<const HostFigure*> worse;
  bool enough = false;  ///< hosts can be compared in one figure at least
  /// Median over hosts, by figure and target.
  std::map<std::pair<std::string, std::string>, double> medians;
};

std::vector<std::string> targets_of(const Figure& figure) {
  std::set<std::string> names;
  for (const HostFigure& h : figure.hosts) names.insert(h.target);
  return {names.begin(), names.end()};
}

Facts facts_of(const Fleet& fleet) {
  Facts facts;
  for (const Figure& figure : fleet.figures) {
    for (const std::string& target : targets_of(figure)) {
      std::vector<const HostFigure*> hosts;
      std::vector<double> values;
      for (const HostFigure& h : figure.hosts) {
        facts.hosts.insert(h.host);
        if (h.target != target) continue;
        hosts.push_back(&h);
        values.push_back(h.now);
      }
      const Comparison c = compare_hosts(values, figure.kind->outlier);
      facts.enough = facts.enough || c.enough;
      facts.medians[{figure.kind->id, target}] = c.median;
      for (const Outlier& o : c.outliers) {
        const Worse worse = figure.kind->worse;
        const bool bad = worse == Worse::more ? o.z > 0 : worse == Worse::less ? o.z < 0 : false;
        facts.odd.push_back({figure.kind, hosts[o.index], c.median, o.z, bad});
        if (bad) facts.worse.insert(hosts[o.index]);
      }
    }
  }
  std::stable_sort(facts.odd.begin(), facts.odd.end(), [](const Odd& a, const Odd& b) {
    return std::tuple(!a.worse, !a.kind->of_orders, -std::fabs(a.z)) <
           std::tuple(!b.worse, !b.kind->of_orders, -std::fabs(b.z));
  });
  return facts;
}

std::string odd_text(const Odd& odd) {
  std::string text = odd.kind->title;
  if (!odd.host->target.empty()) text += " of " + shortened(odd.host->target, 60);
  text += " " + analysis::figure_text(odd.host->now, odd.kind->unit) + ", median of all " +
          analysis::figure_text(odd.median, odd.kind->unit);
  const std::string change = change_text(odd.host->now, odd.median);
  if (!change.empty() && change != "new") text += " (" + change + ")";
  return text;
}

Tone verdict_of(const Fleet& fleet, const Facts& facts) {
  if (facts.hosts.empty()) return Tone::quiet;
  Tone tone = Tone::good;
  for (const Odd& odd : facts.odd) {
    if (!odd.worse) continue;
    if (odd.kind->of_orders) return Tone::bad;
    tone = Tone::warn;
  }
  if (!fleet.down.empty()) tone = Tone::warn;
  for (const HostFinding& f : fleet.findings) {
    if (f.impact >= 0.5) return Tone::bad;
    tone = Tone::warn;
  }
  return tone;
}

std::string headline_of(const Fleet& fleet, const Facts& facts) {
  std::vector<std::string> worse;
  for (const Odd& odd : facts.odd) {
    if (odd.worse && std::find(worse.begin(), worse.end(), odd.host->host) == worse.end())
      worse.push_back(odd.host->host);
  }
  if (!worse.empty()) {
    constexpr std::size_t kNamed = 5;
    std::vector<std::string> named(
        worse.begin(), worse.begin() + static_cast<std::ptrdiff_t>(std::min(worse.size(), kNamed)));
    for (std::string& host : named) host = shortened(host, 80);
    if (worse.size() > kNamed) named.push_back(std::to_string(worse.size() - kNamed) + " more");
    return sentence(listed(named) + (worse.size() == 1 ? " is" : " are") +
                    " worse than the other hosts");
  }
  if (!fleet.down.empty())
    return counted(static_cast<double>(fleet.down.size()), "host does", "hosts do") +
           " not answer Prometheus.";
  if (!fleet.findings.empty()) {
    std::set<std::pair<std::string, std::string>> services;
    for (const HostFinding& f : fleet.findings) services.emplace(f.host, f.target);
    return "No host stands out, but bottlenecks were found on " +
           counted(static_cast<double>(services.size()), "service.", "services.");
  }
  if (!facts.enough) return "There are too few hosts to tell which one is not like the others.";
  return "No host is worse than the others.";
}

Section summary_section(const Fleet& fleet, const Facts& facts) {
  Section section{"summary", "Summary", {}};
  std::string text = counted(static_cast<double>(facts.hosts.size()), "host", "hosts") +
                     " of nearzero " + (facts.hosts.size() == 1 ? "has" : "have") +
                     " figures in this time. ";
  for (const auto& [key, median] : facts.medians) {
    if (key.first != "order_p99") continue;
    const auto p50 = facts.medians.find({"order_p50", key.second});
    text +=
        "On the host in the middle, orders of " + shortened(key.second, 60) + " took " +
        (p50 == facts.medians.end() ? ""
                                    : figure_or_dash(p50->second, "seconds") + " (median) and ") +
        figure_or_dash(median, "seconds") + " (p99). ";
  }
  section.blocks.emplace_back(Paragraph{{text}});
  Bullets bullets;
  for (const Odd& odd : facts.odd) {
    if (bullets.items.size() == kMostBullets) break;
    Text item;
    item.strong(shortened(odd.host->host, 100)).plain(": " + sentence(odd_text(odd)));
    bullets.items.push_back(std::move(item));
  }
  if (facts.odd.size() > kMostBullets)
    bullets.items.emplace_back(counted(static_cast<double>(facts.odd.size() - kMostBullets),
                                       "further difference is", "further differences are") +
                               " below.");
  if (!bullets.items.empty()) section.blocks.emplace_back(std::move(bullets));
  if (!facts.enough && !facts.hosts.empty())
    section.blocks.emplace_back(
        Paragraph{{"Outliers are named from " + std::to_string(kLeastHosts) +
                   " hosts on: of two, nobody can say which one is odd."}});
  if (!fleet.down.empty()) {
    std::vector<std::string> named;
    for (const std::string& host : fleet.down) {
      if (named.size() < kMostBullets) named.push_back(shortened(host, 80));
    }
    if (fleet.down.size() > named.size())
      named.push_back(std::to_string(fleet.down.size() - named.size()) + " more");
    section.blocks.emplace_back(
        Paragraph{{"Prometheus gets no answer from " + listed(named) + "."}, Tone::warn});
  }
  return section;
}

std::optional<Section> outliers_section(const Fleet& fleet, const Facts& facts) {
  if (facts.odd.empty()) return std::nullopt;
  Section section{"outliers", "Hosts that are not like the others", {}};
  std::vector<std::string> order;
  std::map<std::string, std::vector<const Odd*>> by_host;
  for (const Odd& odd : facts.odd) {
    auto& list = by_host[odd.host->host];
    if (list.empty()) order.push_back(odd.host->host);
    list.push_back(&odd);
  }
  for (std::size_t i = 0; i < std::min(order.size(), kMostCards); i++) {
    Card card;
    card.title = shortened(order[i], 200);
    card.table.columns = {
        {"figure"}, {"here", true}, {"median of all", true}, {"ratio", true}, {"deviations", true}};
    for (const Odd* odd : by_host[order[i]]) {
      if (odd->worse)
        card.tone = odd->kind->of_orders     ? Tone::bad
                    : card.tone == Tone::bad ? Tone::bad
                                             : Tone::warn;
      card.table.rows.push_back(
          {{{odd->kind->title +
             (odd->host->target.empty() ? "" : " of " + shortened(odd->host->target, 60))},
            Tone::none},
           {{analysis::figure_text(odd->host->now, odd->kind->unit)},
            odd->worse ? Tone::bad : Tone::none},
           {{analysis::figure_text(odd->median, odd->kind->unit)}, Tone::none},
           {{change_text(odd->host->now, odd->median)}, Tone::none},
           {{analysis::number_text(odd->z)}, Tone::none}});
    }
    std::vector<std::string> findings;
    for (const HostFinding& f : fleet.findings) {
      if (f.host == order[i] && findings.size() < 5)
        findings.push_back(shortened(f.kind, 60) + " (" + analysis::percent_text(f.impact) +
                           " of an order of " + shortened(f.target, 60) + ")");
    }
    if (!findings.empty())
      card.paragraphs.emplace_back("Its agent names " + listed(findings) + ".");
    card.badges = {card.tone == Tone::bad    ? "orders"
                   : card.tone == Tone::warn ? "worse"
                                             : "different"};
    section.blocks.emplace_back(std::move(card));
  }
  if (order.size() > kMostCards)
    section.blocks.emplace_back(Paragraph{{counted(static_cast<double>(order.size() - kMostCards),
                                                   "further host is", "further hosts are") +
                                           " left out."}});
  section.blocks.emplace_back(Paragraph{
      {"A deviation is 1.4826 times the median absolute deviation over hosts; from 3.5 on "
       "a host is an outlier (Iglewicz and Hoaglin, 1993). Latencies are compared by "
       "factors."},
      Tone::quiet});
  return section;
}

// One row a host (and service), a column a figure.
Table host_table(const Fleet& fleet, const Facts& facts, bool per_target,
                 const std::string& title) {
  Table table;
  table.title = title;
  table.columns = {{"host"}};
  if (per_target) table.columns.push_back({"service"});
  using Key = std::pair<std::string, std::string>;
  std::map<Key, std::vector<Cell>> rows;
  std::map<Key, double> oddness;
  std::vector<const Figure*> shown;
  for (const Figure& figure : fleet.figures) {
    if (figure.kind->per_target == per_target && !figure.hosts.empty()) shown.push_back(&figure);
  }
  const bool compared = !fleet.before_name.empty();
  for (const Figure* figure : shown) {
    for (const HostFigure& h : figure->hosts) rows[{h.host, h.target}];
  }
  for (const Figure* figure : shown) {
    table.columns.push_back({figure->kind->title, true});
    if (compared && figure->kind->of_orders) table.columns.push_back({"change", true});
    std::map<Key, const HostFigure*> by_key;
    for (const HostFigure& h : figure->hosts) by_key[{h.host, h.target}] = &h;
    for (auto& [key, cells] : rows) {
      const auto found = by_key.find(key);
      const HostFigure* h = found == by_key.end() ? nullptr : found->second;
      const bool odd = h != nullptr && facts.worse.contains(h);
      cells.push_back(
          {{h == nullptr ? "\xE2\x80\x93" : analysis::figure_text(h->now, figure->kind->unit)},
           odd ? Tone::bad : Tone::none});
      if (odd) oddness[key] += figure->kind->of_orders ? 100 : 1;
      if (compared && figure->kind->of_orders) {
        cells.push_back(
            {{h == nullptr ? "" : change_text(h->now, h->before)},
             h == nullptr ? Tone::none : change_tone(h->now, h->before, figure->kind->worse)});
      }
    }
  }
  std::vector<Key> order;
  for (const auto& [key, cells] : rows) order.push_back(key);
  std::stable_sort(order.begin(), order.end(),
                   [&](const Key& a, const Key& b) { return oddness[a] > oddness[b]; });
  for (const Key& key : order) {
    if (table.rows.size() == kMostRows) {
      table.note = counted(static_cast<double>(order.size() - kMostRows), "further row is",
                           "further rows are") +
                   " left out; none of them stands out more.";
      break;
    }
    std::vector<Cell> row{{{shortened(key.first, 100)}, Tone::none}};
    if (per_target) row.push_back({{shortened(key.second, 60)}, Tone::none});
    for (Cell& cell : rows[key]) row.push_back(std::move(cell));
    table.rows.push_back(std::move(row));
  }
  return table;
}

// Outliers in colours before the others in grey.
std::optional<LineChart> chart_of(const Fleet& fleet, const Facts& facts, const char* id) {
  for (const Figure& figure : fleet.figures) {
    if (figure.kind->id != id || figure.hosts.empty()) continue;
    LineChart chart{figure.kind->title + " by host",
                    figure.kind->unit,
                    fleet.from,
                    fleet.to,
                    {},
                    {},
                    std::nullopt};
    for (const bool odd : {true, false}) {
      for (const HostFigure& h : figure.hosts) {
        if (chart.lines.size() == kMostLinesDrawn || facts.worse.contains(&h) != odd) continue;
        const std::string name =
            shortened(h.host, 40) + (h.target.empty() ? "" : ", " + shortened(h.target, 30));
        chart.lines.push_back({odd ? name : "another host", thinned(h.points, 120), !odd});
      }
    }
    return chart;
  }
  return std::nullopt;
}

Section hosts_section(const Fleet& fleet, const Facts& facts) {
  Section section{"hosts", "All hosts", {}};
  Charts charts;
  for (const char* id : {"order_p99", "orders", "cpu_busy", "disk_busy"}) {
    if (auto chart = chart_of(fleet, facts, id)) charts.charts.push_back(std::move(*chart));
  }
  if (!charts.charts.empty()) section.blocks.emplace_back(std::move(charts));
  Table services = host_table(fleet, facts, true, "Services");
  if (!services.rows.empty()) section.blocks.emplace_back(std::move(services));
  Table hosts = host_table(fleet, facts, false, "Hosts");
  if (!hosts.rows.empty()) section.blocks.emplace_back(std::move(hosts));
  section.blocks.emplace_back(
      Paragraph{{"Figures are medians over the range of 5-minute rates." +
                 (fleet.before_name.empty() ? std::string()
                                            : " Changes are against " + fleet.before_name + ".")},
                Tone::quiet});
  return section;
}

std::optional<Section> findings_section(const Fleet& fleet) {
  if (fleet.findings.empty()) return std::nullopt;
  Section section{"bottlenecks", "Bottlenecks that the agents found", {}};
  Table table;
  table.columns = {{"host"}, {"service"}, {"kind"}, {"worst cost of an order", true}};
  for (const HostFinding& f : fleet.findings) {
    if (table.rows.size() == kMostRows) {
      table.note = counted(static_cast<double>(fleet.findings.size() - kMostRows), "lesser one is",
                           "lesser ones are") +
                   " left out.";
      break;
    }
    table.rows.push_back(
        {{{shortened(f.host, 100)}, Tone::none},
         {{shortened(f.target, 60)}, Tone::none},
         {code(shortened(f.kind, 60)), Tone::none},
         {{analysis::percent_text(f.impact)}, f.impact >= 0.5 ? Tone::bad : Tone::warn}});
  }
  section.blocks.emplace_back(std::move(table));
  section.blocks.emplace_back(
      Paragraph{{"A report of the host itself has the evidence and what to do."}, Tone::quiet});
  return section;
}

Section completeness_section(const Fleet& fleet, const Facts& facts, double created) {
  Section section{"completeness", "How complete this is", {}};
  std::vector<std::string> missing;
  std::set<std::string> holes;
  for (const Figure& figure : fleet.figures) {
    if (figure.hosts.empty()) missing.push_back(figure.kind->title);
    for (const HostFigure& h : figure.hosts) {
      if (h.covered < 0.9 && (figure.kind->id == "cpu_busy" || figure.kind->id == "order_p99"))
        holes.insert(shortened(h.host, 80) + " (" + figure.kind->title + " during " +
                     analysis::percent_text(h.covered) + " of the time)");
    }
  }
  std::string text;
  if (!missing.empty())
    text += "No host has " + listed(missing) + ": not observed there, or not scraped. ";
  if (!holes.empty()) {
    std::vector<std::string> some;
    for (const std::string& hole : holes) {
      if (some.size() < kMostBullets) some.push_back(hole);
    }
    if (holes.size() > some.size())
      some.push_back(std::to_string(holes.size() - some.size()) + " more");
    text += "With holes: " + listed(some) + ". ";
  }
  if (fleet.warnings.empty() && missing.empty() && holes.empty())
    text += "Every host that is known has every figure, without a hole. ";
  section.blocks.emplace_back(Paragraph{{text}});
  if (!fleet.warnings.empty()) {
    Bullets bullets;
    for (const std::string& warning : fleet.warnings)
      bullets.items.emplace_back("Prometheus warns: " + shortened(warning, 300));
    section.blocks.emplace_back(std::move(bullets));
  }
  section.blocks.emplace_back(
      Paragraph{{"Made at " + time_text(created) + " from " + shortened(fleet.url, 200) +
                 (fleet.job.empty() ? "" : ", job " + shortened(fleet.job, 100)) + ", " +
                 counted(static_cast<double>(facts.hosts.size()), "host", "hosts") + "."},
                Tone::quiet});
  return section;
}

}  // namespace

Document make_document(const Fleet& fleet, double created) {
  const Facts facts = facts_of(fleet);
  Document document;
  document.title = "Hosts compared";
  document.subtitle = time_text(fleet.from) + " to " + time_text(fleet.to) + " (" +
                      span_text(fleet.to - fleet.from) + ")" +
                      (fleet.before_name.empty() ? "" : ", compared with " + fleet.before_name);
  document.created = created;
  document.from = fleet.from;
  document.to = fleet.to;
  document.verdict = verdict_of(fleet, facts);
  document.headline = headline_of(fleet, facts);
  std::set<std::string> odd;
  for (const Odd& o : facts.odd) {
    if (o.worse) odd.insert(o.host->host);
  }
  document.figures = {{"hosts", std::to_string(facts.hosts.size()),
                       fleet.down.empty() ? "" : std::to_string(fleet.down.size()) + " down",
                       fleet.down.empty() ? Tone::none : Tone::bad},
                      {"worse than the others", std::to_string(odd.size()), "", Tone::none},
                      {"bottlenecks found", std::to_string(fleet.findings.size()), "", Tone::none}};
  document.sections.push_back(summary_section(fleet, facts));
  if (auto section = outliers_section(fleet, facts))
    document.sections.push_back(std::move(*section));
  document.sections.push_back(hosts_section(fleet, facts));
  if (auto section = findings_section(fleet)) document.sections.push_back(std::move(*section));
  document.sections.push_back(completeness_section(fleet, facts, created));
  return document;
}

}  // namespace nz::fleet
