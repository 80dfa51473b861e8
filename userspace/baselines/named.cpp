#include "userspace/baselines/named.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "userspace/baselines/keys.h"
#include "userspace/store/answers.h"
#include "userspace/store/database.h"

namespace nz::baselines {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestName = 63;
constexpr std::size_t kMostBytes = std::size_t{16} << 20U;
constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-";

/// What may be shown on a terminal.
std::string shown(std::string text) {
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text.size() > 60 ? text.substr(0, 60) + "..." : text;
}

tl::unexpected<Error> unknown(const std::string& name, const std::vector<Head>& known) {
  constexpr std::size_t kMostNames = 8;
  std::string names;
  for (std::size_t i = 0; i < std::min(known.size(), kMostNames); i++)
    names += (i == 0 ? "" : ", ") + known[i].name;
  if (known.size() > kMostNames) names += ", ...";
  return fail("there is no baseline '" + shown(name) + "'",
              known.empty() ? "none is kept; `nearzero baseline set NAME` keeps the last hour"
                            : "there are: " + names,
              ENOENT);
}

}  // namespace

std::string text_of(const Head& head) {
  return json{{"name", head.name},  {"created", head.created}, {"from", head.from},
              {"to", head.to},      {"series", head.series},   {"left_out", head.left_out},
              {"bytes", head.bytes}}
      .dump();
}

std::optional<Head> head_from(std::string_view text) {
  try {
    const json in = json::parse(text);
    Head head;
    in.at("name").get_to(head.name);
    in.at("created").get_to(head.created);
    in.at("from").get_to(head.from);
    in.at("to").get_to(head.to);
    in.at("series").get_to(head.series);
    in.at("left_out").get_to(head.left_out);
    in.at("bytes").get_to(head.bytes);
    return head;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

Result<void> check_name(const std::string& name) {
  if (name == "hour_of_week")
    return fail("'hour_of_week' is what the agent learns by itself", "take another name", EINVAL);
  const bool odd = name.find_first_not_of(kLetters) != std::string::npos;
  if (name.empty() || name.size() > kLongestName || odd)
    return fail(
        "'" + shown(name) + "' cannot be the name of a baseline",
        fmt::format("1 to {} of A-Z, a-z, 0-9 and _ . : -, as in release-1.4", kLongestName),
        EINVAL);
  return {};
}

Result<std::vector<analysis::Window>> slices_of(store::Reader& reader, double from, double to,
                                                const Progress& progress) {
  std::vector<analysis::Window> slices;
  const double step = (to - from) / static_cast<double>(kSlices);
  for (std::size_t i = 0; i < kSlices; i++) {
    const double begin = from + static_cast<double>(i) * step;
    auto window = store::window(reader, begin, begin + step, {});
    if (!window) return tl::unexpected(window.error());
    if (!window->series.empty()) slices.push_back(std::move(*window));
    if (progress && !progress(i + 1, kSlices)) return fail("interrupted", "", EINTR);
  }
  return slices;
}

Result<void> keep(const std::string& path, const analysis::NamedBaseline& baseline, double created,
                  bool replace) {
  if (auto checked = check_name(baseline.name); !checked) return checked;
  const std::string body = analysis::blob_of(baseline);
  if (body.size() > kMostBytes)
    return fail(fmt::format("{} series of this range take {} MB, more than {} MB",
                            baseline.series.size(), body.size() >> 20U, kMostBytes >> 20U),
                "take a shorter range", EFBIG);
  const std::string head = text_of(Head{baseline.name, created, baseline.from, baseline.to,
                                        baseline.series.size(), baseline.left_out, body.size()});
  const std::string head_at = head_key(baseline.name), body_at = body_key(baseline.name);
  auto opened = store::open_to_write(path);
  if (!opened) return tl::unexpected(opened.error());
  store::Connection& c = **opened;
  store::Transaction transaction(c, store::Transaction::Kind::write);
  // Inside the transaction: of two that come at once, one is the second.
  const bool known = c.number("SELECT 1 FROM state WHERE key=?", head_at).has_value();
  if (known && !replace)
    return fail("there is a baseline '" + baseline.name + "' already",
                "--replace, or take another name", EEXIST);
  const std::string prefix = kHeadPrefix;
  const auto count =
      c.number("SELECT count(*) FROM state WHERE substr(key,1,?)=?", prefix.size(), prefix);
  if (!known && count.value_or(0) >= static_cast<std::int64_t>(kMostNamed))
    return fail(fmt::format("{} baselines are kept already", kMostNamed),
                "`nearzero baseline remove` one of `nearzero baseline list`", ENOSPC);
  const char* put = "INSERT OR REPLACE INTO state(key,value) VALUES(?,?)";
  c.run(put, body_at, store::Blob{body});
  c.run(put, head_at, store::Blob{head});
  return transaction.commit();
}

Result<std::vector<Head>> heads(store::Reader& reader) {
  const auto keys = reader.state_keys(kHeadPrefix);
  if (!keys) return tl::unexpected(keys.error());
  std::vector<Head> all;
  for (const std::string& key : *keys) {
    const auto text = reader.state(key);
    if (!text) return tl::unexpected(text.error());
    if (!*text) continue;  // removed in between
    auto head = head_from(**text);
    if (!head) {
      head.emplace();
      head->name = key.substr(std::string_view(kHeadPrefix).size());
    }
    all.push_back(std::move(*head));
  }
  return all;
}

Result<analysis::NamedBaseline> find(store::Reader& reader, const std::string& name) {
  const auto body = reader.state(body_key(name));
  if (!body) return tl::unexpected(body.error());
  if (!*body) {
    const auto known = heads(reader);
    if (!known) return tl::unexpected(known.error());
    return unknown(name, *known);
  }
  auto baseline = analysis::baseline_from(**body);
  if (!baseline)
    return fail("the baseline '" + shown(name) + "' is damaged",
                "`nearzero baseline remove` it, and make it anew", store::kDamaged);
  return std::move(*baseline);
}

Result<void> remove(const std::string& path, const std::string& name) {
  std::vector<Head> known;
  {
    // Opening to write would make a file that is not there.
    auto reader = store::Reader::open(path);
    if (!reader) return tl::unexpected(reader.error());
    auto all = heads(**reader);
    if (!all) return tl::unexpected(all.error());
    known = std::move(*all);
  }
  const auto is_it = [&](const Head& head) { return head.name == name; };
  if (std::none_of(known.begin(), known.end(), is_it)) return unknown(name, known);
  auto opened = store::open_to_write(path);
  if (!opened) return tl::unexpected(opened.error());
  const std::string head_at = head_key(name), body_at = body_key(name);
  store::Transaction transaction(**opened, store::Transaction::Kind::write);
  (*opened)->run("DELETE FROM state WHERE key IN (?,?)", head_at, body_at);
  return transaction.commit();
}

}  // namespace nz::baselines
