#include "userspace/alerts/silence.h"

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "userspace/alerts/alert_json.h"
#include "userspace/alerts/amount.h"
#include "userspace/alerts/templates.h"
#include "userspace/config/problems.h"

namespace nz::alerts {
namespace {

constexpr int kSilencesVersion = 1;
constexpr std::size_t kMostCommentBytes = 500;

}  // namespace

std::string Silence::matchers_text() const {
  std::string text;
  for (const Matcher& matcher : matchers) text += (text.empty() ? "" : ",") + matcher.text();
  return text;
}

Result<Silence> Silences::add(Matchers matchers, double now, double seconds, std::string comment) {
  if (matchers.empty())
    return fail("a silence needs a condition", "write for instance alertname=\"OrdersSlow\"");
  if (!(seconds >= 1) || seconds > kLongest)
    return fail("a silence lasts 1s to " + time_text(kLongest), "write for instance --for 2h");
  expire(now);
  comment = plain_text(comment, kMostCommentBytes);
  if (all_.size() >= kMost)
    return fail(std::to_string(kMost) + " silences are in force already", "remove some");
  Silence silence{"s" + std::to_string(next_++), std::move(matchers), now, now + seconds,
                  std::move(comment)};
  all_.push_back(silence);
  return silence;
}

Result<void> Silences::remove(std::string_view id) {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [&](const Silence& s) { return s.id == id; });
  if (found == all_.end())
    return fail("there is no silence " + config::in_quotes(id),
                "`nearzero alerts silence --list` shows them");
  all_.erase(found);
  return {};
}

std::size_t Silences::expire(double now) {
  // Made by a clock that was ahead: it holds for its time from now on, not for years.
  for (Silence& s : all_) {
    if (s.from <= now) continue;
    s.until -= s.from - now;
    s.from = now;
  }
  return std::erase_if(all_, [now](const Silence& s) { return s.until <= now; });
}

const Silence* Silences::of(const analysis::Labels& labels, double now) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const Silence& s) {
    return now < s.until && matches(s.matchers, labels);
  });
  return found == all_.end() ? nullptr : &*found;
}

std::string Silences::save() const {
  nlohmann::json out = {
      {"version", kSilencesVersion}, {"next", next_}, {"silences", nlohmann::json::array()}};
  for (const Silence& s : all_) {
    out["silences"].push_back({{"id", s.id},
                               {"matchers", s.matchers_text()},
                               {"from", s.from},
                               {"until", s.until},
                               {"comment", s.comment}});
  }
  return dump(out);
}

Result<void> Silences::restore(std::string_view saved) {
  const char* remedy = "silences begin anew: set them again";
  try {
    const auto in = nlohmann::json::parse(saved);
    if (in.at("version").get<int>() != kSilencesVersion)
      return fail("saved silences of version " + in.at("version").dump(), remedy);
    std::vector<Silence> all;
    for (const auto& one : in.at("silences")) {
      auto matchers = parse_matchers(one.at("matchers").get<std::string>());
      if (!matchers) return tl::unexpected(matchers.error());
      if (matchers->empty()) return fail("a saved silence without a condition", remedy);
      if (all.size() == kMost) break;
      all.push_back({one.at("id").get<std::string>(), std::move(*matchers),
                     one.at("from").get<double>(), one.at("until").get<double>(),
                     one.at("comment").get<std::string>()});
    }
    next_ = in.at("next").get<std::size_t>();
    all_ = std::move(all);
    return {};
  } catch (const std::exception& e) {
    return fail(std::string("saved silences cannot be read: ") + e.what(), remedy);
  }
}

}  // namespace nz::alerts
