#include "analysis/bottlenecks/network_scope.h"

namespace nz::analysis {

Labels NetworkScope::event(const std::string& name) const {
  Labels all = labels;
  all.emplace_back("event", name);
  return all;
}

std::vector<NetworkScope> network_scopes(const WindowIndex& now, const std::string& target) {
  constexpr const char* kNamespaces = "nearzero_target_network_namespaces";
  const Labels own{{"target", target}};
  std::vector<NetworkScope> scopes;
  const bool foreign = now.has(kNamespaces, own);
  if (foreign) {
    scopes.push_back({"nearzero_target_tcp_events_total", "nearzero_target_network_drops_total",
                      "nearzero_target_network_errors_total", own, true});
  }
  const auto at_host = now.value(kNamespaces, {{"target", target}, {"state", "host"}});
  if (!foreign || at_host.value_or(0) > 0) {
    scopes.push_back({"nearzero_tcp_events_total",
                      "nearzero_network_drops_total",
                      "nearzero_network_errors_total",
                      {},
                      false});
  }
  return scopes;
}

}  // namespace nz::analysis
