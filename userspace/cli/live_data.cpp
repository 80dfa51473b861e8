#include "userspace/cli/live_data.h"

#include <httplib.h>

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>

namespace nz::cli {
namespace {

analysis::Histogram parse_histogram(const nlohmann::json& j) {
  analysis::Histogram h;
  h.zero = j.at("zero").get<uint64_t>();
  h.overflow = j.at("overflow").get<uint64_t>();
  h.sum_ns = j.at("sum_ns").get<uint64_t>();
  h.min_ns = j.at("window_min_ns").get<uint64_t>();
  h.max_ns = j.at("window_max_ns").get<uint64_t>();
  for (const auto& pair : j.at("buckets")) {
    h.buckets.at(pair.at(0).get<size_t>()) = pair.at(1).get<uint64_t>();
  }
  return h;
}

}  // namespace

LiveData LiveData::since(const LiveData& earlier) const {
  LiveData result;
  for (const auto& [key, h] : histograms) {
    const auto before = earlier.histograms.find(key);
    analysis::Histogram grown = before == earlier.histograms.end() ? h : h.since(before->second);
    grown.min_ns = h.min_ns;  // the agent's own window, exact
    grown.max_ns = h.max_ns;
    result.histograms[key] = grown;
  }
  for (const auto& [key, value] : values) {
    const auto before = earlier.values.find(key);
    result.values[key] = key.family.ends_with("_total") && before != earlier.values.end()
                             ? value - before->second
                             : value;
  }
  return result;
}

void LiveData::take_extremes_of(const LiveData& moment) {
  for (auto& [key, histogram] : histograms) {
    const auto then = moment.histograms.find(key);
    if (then == moment.histograms.end()) continue;
    histogram.min_ns = std::min(histogram.min_ns, then->second.min_ns);
    histogram.max_ns = std::max(histogram.max_ns, then->second.max_ns);
  }
}

Result<LiveData> parse_live(const std::string& json) {
  LiveData data;
  try {
    const auto root = nlohmann::json::parse(json);
    for (const auto& [family, samples] : root.items()) {
      for (const auto& sample : samples) {
        LiveData::Key key{family, {}};
        if (sample.contains("labels")) key.labels = sample.at("labels").get<Labels>();
        if (sample.contains("buckets")) {
          data.histograms[key] = parse_histogram(sample);
        } else {
          data.values[key] = sample.at("value").is_null() ? 0 : sample.at("value").get<double>();
        }
      }
    }
  } catch (const std::exception& e) {
    return fail(std::string("the agent's answer is not what was expected: ") + e.what(),
                "agent and CLI of the same version?");
  }
  return data;
}

Result<LiveData> fetch_live(const std::string& url) {
  const auto no_url = [&] {
    return fail("'" + url + "' is no URL", "for instance http://127.0.0.1:9718");
  };
  std::optional<httplib::Client> client;
  try {
    client.emplace(url);
  } catch (const std::exception&) {
    return no_url();  // a scheme that httplib does not know
  }
  if (!client->is_valid()) return no_url();
  client->set_connection_timeout(2);
  client->set_read_timeout(5);
  const auto response = client->Get("/live.json");
  if (!response) {
    return fail("no agent answers at " + url + ": " + httplib::to_string(response.error()),
                "start one: nearzero agent; or name its address with --url");
  }
  if (response->status != 200) {
    return fail(url + "/live.json answered " + std::to_string(response->status),
                "is it a nearzero agent?");
  }
  return parse_live(response->body);
}

}  // namespace nz::cli
