#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "userspace/fleet/fleet.h"

namespace nz::fleet {
namespace {

constexpr double kPoints = 60, kShortestStep = 15;
constexpr std::size_t kMostWarnings = 20;

std::string label(const Series& series, const char* name) {
  const auto found = series.labels.find(name);
  return found == series.labels.end() ? "" : found->second;
}

double median_of(const std::vector<history::Point>& points) {
  std::vector<double> values;
  for (const history::Point& p : points) values.push_back(p.value);
  return fleet::median_of(std::move(values));
}

class Gatherer {
 public:
  Gatherer(Prometheus& prometheus, const Ask& ask, Fleet& fleet)
      : prometheus_(prometheus),
        ask_(ask),
        fleet_(fleet),
        step_(std::max(kShortestStep, std::ceil((ask.to - ask.from) / kPoints))) {}

  Result<void> add(const FigureKind& kind) {
    Figure figure;
    figure.kind = &kind;
    // The rules may not be loaded, or not for as long: then the families themselves.
    for (const std::string* promql : {&kind.rule, &kind.raw}) {
      auto now = range(*promql, 0);
      if (!now) return tl::unexpected(now.error());
      if (now->empty()) continue;
      std::map<std::tuple<std::string, std::string, std::string>, double> before;
      if (ask_.shift > 0) {
        const auto earlier = range(*promql, ask_.shift);
        if (!earlier) return tl::unexpected(earlier.error());
        for (const Series& s : *earlier) before[key(s)] = median_of(s.points);
      }
      for (Series& s : *now) {
        const auto was = before.find(key(s));
        const double steps = std::floor((ask_.to - ask_.from) / step_) + 1;
        const auto values = static_cast<double>(
            std::count_if(s.points.begin(), s.points.end(),
                          [](const history::Point& p) { return std::isfinite(p.value); }));
        HostFigure host{host_of(s),
                        label(s, "target"),
                        median_of(s.points),
                        was == before.end() ? NAN : was->second,
                        std::min(1.0, values / steps),
                        std::move(s.points)};
        if (std::isfinite(host.now)) figure.hosts.push_back(std::move(host));
      }
      break;
    }
    std::stable_sort(figure.hosts.begin(), figure.hosts.end(), [](const auto& a, const auto& b) {
      return std::tie(a.host, a.target) < std::tie(b.host, b.target);
    });
    fleet_.figures.push_back(std::move(figure));
    return {};
  }

  Result<void> add_findings() {
    const auto answer =
        at(fmt::format("max by (job, instance, target, kind) "
                       "(max_over_time(nearzero_bottleneck_impact_ratio[{}s]))",
                       std::max(1LL, std::llround(ask_.to - ask_.from))));
    if (!answer) return tl::unexpected(answer.error());
    for (const Series& s : *answer) {
      if (s.points.empty() || !(s.points.back().value > 0)) continue;
      fleet_.findings.push_back(
          {host_of(s), label(s, "target"), label(s, "kind"), s.points.back().value});
    }
    std::stable_sort(fleet_.findings.begin(), fleet_.findings.end(),
                     [](const HostFinding& a, const HostFinding& b) {
                       return std::tuple(-a.impact, a.host, a.target, a.kind) <
                              std::tuple(-b.impact, b.host, b.target, b.kind);
                     });
    return {};
  }

  Result<void> add_down() {
    const auto answer = at("up == 0");
    if (!answer) return tl::unexpected(answer.error());
    for (const Series& s : *answer) {
      if (jobs_.contains(label(s, "job"))) fleet_.down.push_back(host_of(s));
    }
    std::sort(fleet_.down.begin(), fleet_.down.end());
    return {};
  }

  [[nodiscard]] bool any() const { return !jobs_.empty(); }
  /// Hosts of several jobs may have the same name.
  void tell_jobs_apart() {
    if (jobs_.size() > 1) return;
    const auto plain = [](std::string& host) { host = host.substr(host.find('\n') + 1); };
    for_each_host(plain);
  }
  void name_hosts() {
    for_each_host([](std::string& host) {
      const std::size_t end = host.find('\n');
      if (end != std::string::npos) host = host.substr(0, end) + "/" + host.substr(end + 1);
    });
  }

 private:
  static std::tuple<std::string, std::string, std::string> key(const Series& s) {
    return {label(s, "job"), label(s, "instance"), label(s, "target")};
  }
  // Job and instance, until it is known whether the job needs to be told.
  std::string host_of(const Series& s) { return label(s, "job") + '\n' + label(s, "instance"); }

  template <class Change>
  void for_each_host(Change change) {
    for (Figure& figure : fleet_.figures) {
      for (HostFigure& host : figure.hosts) change(host.host);
    }
    for (HostFinding& finding : fleet_.findings) change(finding.host);
    for (std::string& host : fleet_.down) change(host);
  }

  Result<std::vector<Series>> range(const std::string& promql, double shift) {
    return taken(prometheus_.range(promql, ask_.from - shift, ask_.to - shift, step_), shift == 0);
  }
  Result<std::vector<Series>> at(const std::string& promql) {
    return taken(prometheus_.at(promql, ask_.to), false);
  }
  Result<std::vector<Series>> taken(Result<Answer> answer, bool hosts_of_nearzero) {
    if (!answer) return tl::unexpected(answer.error());
    for (std::string& warning : answer->warnings) {
      if (fleet_.warnings.size() < kMostWarnings &&
          std::find(fleet_.warnings.begin(), fleet_.warnings.end(), warning) ==
              fleet_.warnings.end())
        fleet_.warnings.push_back(std::move(warning));
    }
    if (!ask_.job.empty()) {
      std::erase_if(answer->series, [&](const Series& s) { return label(s, "job") != ask_.job; });
    }
    if (hosts_of_nearzero) {
      for (const Series& s : answer->series) jobs_.insert(label(s, "job"));
    }
    return std::move(answer->series);
  }

  Prometheus& prometheus_;
  const Ask& ask_;
  Fleet& fleet_;
  const double step_;
  std::set<std::string> jobs_;
};

}  // namespace

Result<Fleet> gather(Prometheus& prometheus, const Ask& ask,
                     const std::function<void(std::size_t, std::size_t)>& progress) {
  Fleet fleet{ask.from, ask.to, ask.shift > 0 ? ask.before_name : "", ask.job, ask.url, {}, {},
              {},       {}};
  Gatherer gatherer(prometheus, ask, fleet);
  const std::size_t questions = figure_kinds().size() + 2;
  std::size_t asked = 0;
  const auto tell = [&] {
    if (progress) progress(asked, questions);
    asked++;
  };
  for (const FigureKind& kind : figure_kinds()) {
    tell();
    const auto added = gatherer.add(kind);
    if (!added) return tl::unexpected(added.error());
  }
  if (!gatherer.any())
    return fail("this Prometheus has no figures of nearzero in this time" +
                    (ask.job.empty() ? std::string() : " for the job '" + ask.job + "'"),
                "does it scrape the agents (configs/prometheus/prometheus.yml), and was it running "
                "then?");
  tell();
  if (auto added = gatherer.add_findings(); !added) return tl::unexpected(added.error());
  tell();
  if (auto added = gatherer.add_down(); !added) return tl::unexpected(added.error());
  gatherer.tell_jobs_apart();
  gatherer.name_hosts();
  return fleet;
}

}  // namespace nz::fleet
