#include "userspace/rest/slope.h"

#include "analysis/trend/trend.h"

namespace nz::rest {

Json slope_json(const history::Trend& trend) {
  constexpr double kHour = 3600;
  constexpr std::size_t kLeastPoints = 3;  // of fewer there is no fit
  analysis::Series series;
  for (const history::Point& p : trend.points) {
    series.at.push_back(p.at);
    series.value.push_back(p.value);
  }
  const analysis::TrendFit fit = analysis::fit_trend(series);
  // An interval that the values cannot bound is infinite, which becomes null.
  const auto per_hour = [&](double slope) {
    return fit.points >= kLeastPoints ? Json(slope * kHour) : Json();
  };
  const auto level = [&](double at) { return fit.points > 0 ? Json(fit.value_at(at)) : Json(); };
  return {{"points", fit.points},
          {"per_hour", per_hour(fit.slope)},
          {"low", per_hour(fit.slope_least)},
          {"high", per_hour(fit.slope_most)},
          {"p", fit.p},
          {"tau", fit.tau},
          {"significant", fit.significant},
          {"season", fit.season > 0 ? Json(fit.season) : Json()},
          {"season_share", fit.season_gain},
          {"level_first", level(fit.from)},
          {"level_last", level(fit.to)},
          {"spread", fit.spread},
          {"note", fit.note.empty() ? Json() : Json(fit.note)}};
}

}  // namespace nz::rest
