#include <algorithm>
#include <cmath>

#include "analysis/text.h"
#include "userspace/report/sections.h"

namespace nz::report {
namespace {

using analysis::Severity;

constexpr std::size_t kMostTold = 3;
// What happened so long before a finding began may explain it; detection lags by some windows.
constexpr double kBefore = 600, kAfter = 30;

bool firing(const Alert& alert, double to) { return alert.until == 0 || alert.until > to; }

std::vector<const Alert*> alerts_in_range(const Facts& facts) {
  std::vector<const Alert*> found;
  if (!facts.in.extras.alerts) return found;
  for (const Alert& a : *facts.in.extras.alerts) {
    if (a.since <= facts.in.to && (a.until == 0 || a.until >= facts.in.from)) found.push_back(&a);
  }
  return found;
}

bool any_open(const Facts& facts, Severity least) {
  return std::any_of(facts.troubles.begin(), facts.troubles.end(),
                     [&](const Trouble& t) { return !t.over && t.finding->severity >= least; });
}

bool any_over(const Facts& facts, Severity least) {
  return std::any_of(facts.troubles.begin(), facts.troubles.end(),
                     [&](const Trouble& t) { return t.over && t.finding->severity >= least; });
}

bool any_regression(const Facts& facts) {
  if (!facts.in.extras.regressions) return false;
  return std::any_of(facts.in.extras.regressions->begin(), facts.in.extras.regressions->end(),
                     [&](const analysis::Regression& r) {
                       return r.worse && r.since <= facts.in.to &&
                              (r.until == 0 || r.until > facts.in.to);
                     });
}

Tone verdict(const Facts& facts) {
  if (facts.empty()) return Tone::quiet;
  const auto alerts = alerts_in_range(facts);
  const bool critical_alert = std::any_of(alerts.begin(), alerts.end(), [&](const Alert* a) {
    return a->severity == "critical" && firing(*a, facts.in.to);
  });
  if (critical_alert || any_open(facts, Severity::critical)) return Tone::bad;
  if (any_open(facts, Severity::warning) || any_over(facts, Severity::critical) ||
      any_regression(facts) || !alerts.empty())
    return Tone::warn;
  return Tone::good;
}

std::string headline(const Facts& facts, Tone tone) {
  if (tone == Tone::quiet) return "Nothing was measured in this time.";
  if (!facts.troubles.empty() && tone != Tone::good) {
    const Trouble& first = facts.troubles.front();
    const std::string title = shortened(first.finding->title, 300);
    if (!first.over) return sentence(title);
    return sentence("Over since " + facts.clock.at(first.finding->until) + ": " + title);
  }
  if (tone == Tone::good) return "Nothing is wrong.";
  const auto alerts = alerts_in_range(facts);
  if (!alerts.empty())
    return sentence(counted(static_cast<double>(alerts.size()), "alert", "alerts") +
                    " fired, without a bottleneck that explains it");
  return "Something is slower than it was, without a bottleneck that explains it.";
}

// ---- sentences

std::string service_sentences(const Facts& facts, const Target& target) {
  const Stage* main = target.main();
  if (main == nullptr) return "";
  using analysis::seconds_text;
  std::string text =
      shortened(target.name, 60) + " took " + analysis::number_text(main->rate) +
      " orders a second; half of them were through " +
      (main->whole ? std::string("the order path") : "stage " + shortened(main->name, 60)) +
      " within " + seconds_text(main->now.quantile(0.5)) + ", 99 of 100 within " +
      seconds_text(main->now.quantile(0.99));
  if (main->now.max_ns > 0)
    text += ", the slowest in " + seconds_text(static_cast<double>(main->now.max_ns) / 1e9);
  text += ". ";
  if (!facts.compared || main->before.count() == 0) return text;
  const auto change = [](double now, double before, const char* what) {
    const std::string words = change_text(now, before);
    return std::string(what) + " " + (words == "same" ? "the same" : words);
  };
  return text + "Against " + facts.in.before_name + ": " +
         listed({change(main->rate, main->rate_before, "throughput"),
                 change(main->now.quantile(0.5), main->before.quantile(0.5), "the median"),
                 change(main->now.quantile(0.99), main->before.quantile(0.99), "p99")}) +
         ". ";
}

std::string cost_sentence(const Trouble& trouble) {
  const analysis::Finding& f = *trouble.finding;
  if (!(f.impact > 0)) return "No order has felt it so far. ";
  std::string text = std::string(trouble.over ? "It cost " : "It costs ") +
                     analysis::percent_text(f.impact) + " of an order's time";
  if (f.impact_seconds > 0) text += ", " + analysis::seconds_text(f.impact_seconds) + " of each";
  if (trouble.orders >= 1)
    text += "; about " + counted(trouble.orders, "order", "orders") + " met it";
  return text + ". ";
}

// What changed shortly before, nearest first.
std::string events_sentence(const Facts& facts, double since) {
  if (!facts.in.extras.events) return "";
  std::vector<const analysis::Event*> near;
  for (const analysis::Event& e : *facts.in.extras.events) {
    const double most = e.at < since ? kBefore : kAfter;
    if (analysis::may_explain(e, std::fabs(e.at - since), most)) near.push_back(&e);
  }
  std::stable_sort(near.begin(), near.end(), [&](const auto* a, const auto* b) {
    return std::fabs(a->at - since) < std::fabs(b->at - since);
  });
  std::vector<std::string> texts;
  for (const auto* e : near) {
    if (texts.size() == kMostTold) break;
    texts.push_back(shortened(e->text, 200) + " (" + facts.clock.at(e->at) + ")");
  }
  return texts.empty() ? "" : "What changed at that time: " + listed(texts) + ". ";
}

Text trouble_text(const Facts& facts, const Trouble& trouble) {
  const analysis::Finding& f = *trouble.finding;
  Text text;
  text.strong(sentence(shortened(f.title, 300)));
  if (trouble.over) {
    text.plain(" It lasted " + lasting_text(facts.clock, f.since, f.until, facts.in.to) + ". ");
  } else {
    text.plain(" It began at " + facts.clock.at(f.since) + " and goes on, " +
               span_text(facts.in.to - f.since) + " so far. ");
  }
  text.plain(cost_sentence(trouble));
  text.plain(events_sentence(facts, f.since));
  if (f.confidence > 0) text.plain("It is " + confidence_text(f.confidence) + " a cause.");
  return text;
}

void tell_troubles(const Facts& facts, Section& section) {
  std::size_t told = 0;
  for (const Trouble& trouble : facts.troubles) {
    if (told == kMostTold) break;
    told++;
    section.blocks.emplace_back(Paragraph{trouble_text(facts, trouble)});
    if (told == 1 && !trouble.over && !trouble.finding->recommendation.empty()) {
      section.blocks.emplace_back(Paragraph{
          std::move(Text()
                        .strong("Do first: ")
                        .plain(sentence(shortened(trouble.finding->recommendation, 1000)))),
          Tone::warn});
    }
  }
  if (facts.troubles.size() > told) {
    section.blocks.emplace_back(
        Paragraph{{"There " + std::string(facts.troubles.size() - told == 1 ? "is " : "are ") +
                   counted(static_cast<double>(facts.troubles.size() - told), "further bottleneck",
                           "further bottlenecks") +
                   " below."}});
  }
}

std::string alerts_sentence(const Facts& facts) {
  if (!facts.in.extras.alerts) return "";
  const auto alerts = alerts_in_range(facts);
  if (alerts.empty()) return "No alert fired. ";
  std::size_t still = 0;
  for (const Alert* a : alerts) still += firing(*a, facts.in.to) ? 1 : 0;
  return counted(static_cast<double>(alerts.size()), "alert", "alerts") + " fired, " +
         (still == 0 ? std::string("none of them still does")
                     : counted(static_cast<double>(still), "still does", "still do")) +
         ". ";
}

std::string regressions_sentence(const Facts& facts) {
  if (!facts.in.extras.regressions) return "";
  double n = 0;
  for (const analysis::Regression& r : *facts.in.extras.regressions) {
    if (r.worse && r.since >= facts.in.from && r.since <= facts.in.to) n++;
  }
  if (n == 0) return "No quantity became lastingly worse. ";
  return counted(n, "quantity", "quantities") + " became lastingly worse. ";
}

std::string completeness_sentence(const Facts& facts) {
  const double drops = facts.now.change("nearzero_drops_total");
  std::vector<std::string> missing;
  if (drops > 0)
    missing.push_back(counted(drops, "event was", "events were") + " not recorded in full");
  if (!facts.in.unattached.empty())
    missing.push_back(
        counted(static_cast<double>(facts.in.unattached.size()), "probe is", "probes are") +
        " not attached");
  if (!facts.in.range_covered) missing.emplace_back("history does not reach back to the beginning");
  if (missing.empty()) return "The measurement is complete.";
  return "The measurement is not complete: " + listed(missing) + ".";
}

void add_key_figures(const Facts& facts, Document& document) {
  constexpr std::size_t kMostServices = 2;
  std::size_t services = 0;
  for (const Target& target : facts.targets) {
    const Stage* main = target.main();
    if (main == nullptr || services == kMostServices) continue;
    services++;
    const auto add = [&](const std::string& what, double now, double before, const char* unit,
                         Worse worse) {
      KeyFigure figure{shortened(target.name, 30) + ": " + what, analysis::figure_text(now, unit),
                       "", Tone::none};
      if (facts.compared && main->before.count() > 0) {
        const std::string change = change_text(now, before);
        figure.change = change == "same" ? "as before" : change;
        figure.tone = change_tone(now, before, worse);
      }
      document.figures.push_back(std::move(figure));
    };
    add("orders", main->rate, main->rate_before, "per second", Worse::less);
    add("median", main->now.quantile(0.5), main->before.quantile(0.5), "seconds", Worse::more);
    add("p99", main->now.quantile(0.99), main->before.quantile(0.99), "seconds", Worse::more);
  }
  double open = 0;
  for (const Trouble& t : facts.troubles) open += t.over ? 0 : 1;
  const auto over = static_cast<double>(facts.troubles.size()) - open;
  document.figures.push_back({"bottlenecks now", analysis::number_text(open),
                              over > 0 ? analysis::number_text(over) + " over" : "",
                              open > 0 ? Tone::bad : Tone::none});
}

}  // namespace

Section summary_section(const Facts& facts, Document& document) {
  Section section{"summary", "Summary", {}};
  document.verdict = verdict(facts);
  document.headline = headline(facts, document.verdict);
  if (facts.empty()) {
    std::string text = "History has no figures between " + time_text(facts.in.from) + " and " +
                       time_text(facts.in.to) + ". ";
    text += facts.in.history_from > 0
                ? "It begins at " + time_text(facts.in.history_from) + ": ask for a later range."
                : "Is the agent running, and for longer than its drain interval?";
    section.blocks.emplace_back(Paragraph{{text}});
    return section;
  }
  add_key_figures(facts, document);
  tell_troubles(facts, section);
  if (facts.troubles.empty())
    section.blocks.emplace_back(Paragraph{{"Nothing was found that limits the services."}});
  std::string services;
  std::size_t silent = 0;
  for (const Target& target : facts.targets) {
    const std::string text = service_sentences(facts, target);
    services += text;
    if (text.empty()) silent++;
  }
  if (silent == facts.targets.size())
    services += facts.targets.empty() ? "No service was observed, the host alone. "
                                      : "No order was seen: no stage was completed in this time. ";
  section.blocks.emplace_back(Paragraph{{services}});
  section.blocks.emplace_back(Paragraph{
      {regressions_sentence(facts) + alerts_sentence(facts) + completeness_sentence(facts)}});
  if (!facts.compared && !facts.in.no_before.empty())
    section.blocks.emplace_back(Paragraph{{"There is no comparison with " + facts.in.before_name +
                                           ": " + sentence(facts.in.no_before)}});
  return section;
}

}  // namespace nz::report
