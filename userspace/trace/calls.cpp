#include "userspace/trace/calls.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cerrno>

#include "nearzero/abi.h"
#include "userspace/inspect/functions.h"
#include "userspace/sites/symbol_match.h"
#include "userspace/sites/usdt.h"

namespace nz::trace {
namespace {

class Finder {
 public:
  Finder(std::optional<pid_t> pid, bool nothrow, const observe::Prices& prices)
      : pid_(pid), prices_(prices) {
    policy_.nothrow = nothrow;
    policy_.shadow_stack = pid && sites::user_shadow_stack_active(*pid);
  }
  Result<void> add_functions(const std::string& text);
  Result<void> add_usdt(const std::string& text);
  Calls take() {
    // Ends first: a call that begins while probes come up is seen whole.
    std::stable_partition(calls_.probes.begin(), calls_.probes.end(), [](const CallProbe& p) {
      return p.program == "nz_trace_leave" || p.program == "nz_trace_return" ||
             p.program == "nz_trace_end";
    });
    return std::move(calls_);
  }

 private:
  // The file stays the one that was looked at, whatever comes to its path.
  Result<std::string> hold(const std::string& path) {
    Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return fail_errno("open " + path, errno);
    std::string held = "/proc/self/fd/" + std::to_string(fd.get());
    calls_.files.push_back(std::move(fd));
    return held;
  }
  Result<uint32_t> add_kind(CallKind kind) {
    if (calls_.kinds.size() >= NZ_MAX_CALL_KINDS)
      return fail(fmt::format("more than {} functions", NZ_MAX_CALL_KINDS),
                  "choose a narrower pattern");
    calls_.kinds.push_back(std::move(kind));
    return static_cast<uint32_t>(calls_.kinds.size() - 1);
  }
  void attach(const char* program, const std::string& path, const loader::UprobeSite& site) {
    for (CallProbe& probe : calls_.probes) {
      if (probe.program != program || probe.path != path) continue;
      probe.sites.push_back(site);
      return;
    }
    calls_.probes.push_back({program, path, {site}});
  }
  Result<void> add_function(const inspect::Function& f, const std::string& path);

  std::optional<pid_t> pid_;
  const observe::Prices& prices_;
  sites::ReturnPolicy policy_;
  sites::KernelTraits kernel_ = sites::detect();
  Calls calls_;
};

uint64_t entry_cookie(uint32_t index, int64_t moved) {
  return static_cast<uint64_t>(moved) << 32 | index;
}

std::string short_name(const inspect::Function& f) {
  return f.symbol.name.starts_with("_Z") ? sites::without_parameters(f.name) : f.name;
}

Result<void> Finder::add_function(const inspect::Function& f, const std::string& path) {
  auto index =
      add_kind({short_name(f), "func", f.returns ? f.call_ns : f.entry_ns, f.returns.has_value()});
  if (!index) return tl::unexpected(index.error());
  uint64_t entry = f.entry->offset;
  if (!f.returns) {
    attach("nz_trace_hit", path, {entry, *index});
    calls_.notes.push_back(f.name + ": calls are counted, not timed: " + f.no_return);
  } else if (const auto* probe = std::get_if<sites::ReturnProbe>(&f.returns->how)) {
    entry = probe->entry.offset;
    attach("nz_trace_enter", path, {entry, entry_cookie(*index, 0)});
    attach("nz_trace_return", path, {entry, *index});
  } else {
    attach("nz_trace_enter", path, {entry, entry_cookie(*index, f.entry->sp_displacement)});
    for (const auto& exit : std::get<sites::ExitInstructions>(f.returns->how).exits)
      attach("nz_trace_leave", path, {exit.offset, *index});
    if (!f.returns->caveat.empty()) calls_.notes.push_back(f.name + ": " + f.returns->caveat);
  }
  calls_.beginnings[path].emplace_back(entry, *index);
  return {};
}

Result<void> Finder::add_functions(const std::string& text) {
  const auto place = inspect::find_place(text, pid_);
  if (!place) return tl::unexpected(place.error());
  if (place->pattern.empty())
    return fail("no function is named in 'func:" + text + "'",
                "write func:BINARY:SYMBOL; `nearzero list " + text + "` shows them");
  const auto binary = sites::Binary::open(place->path);
  if (!binary) return tl::unexpected(binary.error());
  const auto symbols = binary->find(place->pattern);
  if (!symbols) return tl::unexpected(symbols.error());
  if (symbols->size() > NZ_MAX_CALL_KINDS)
    return fail(fmt::format("{} functions of {} are like '{}'", symbols->size(), place->shown,
                            place->pattern),
                fmt::format("at most {} are traced at a time: choose a narrower pattern",
                            NZ_MAX_CALL_KINDS));
  const auto path = hold(place->path);
  if (!path) return tl::unexpected(path.error());
  size_t added = 0;
  std::string refused;
  for (const sites::Symbol& symbol : *symbols) {
    // A piece that the compiler split off is not called; a glob finds it all the same.
    if (sites::is_compiler_piece(symbol.name) && symbol.name != place->pattern) continue;
    const auto function = inspect::look_at(*binary, symbol, policy_, kernel_, prices_);
    if (!function.entry) {
      refused = function.name + ": " + function.no_entry;
      calls_.notes.push_back(refused);
      continue;
    }
    auto done = add_function(function, *path);
    if (!done) return done;
    added++;
  }
  if (added == 0)
    return fail("no function like '" + place->pattern + "' of " + place->shown + " can be probed",
                refused);
  return {};
}

Result<void> Finder::add_usdt(const std::string& text) {
  const auto place = inspect::find_place(text, pid_);
  if (!place) return tl::unexpected(place.error());
  const auto probes = sites::usdt_probes(place->path);
  if (!probes) return tl::unexpected(probes.error());
  const size_t colon = place->pattern.find(':');
  const std::string provider = place->pattern.substr(0, colon);
  const std::string names = colon == std::string::npos ? "*" : place->pattern.substr(colon + 1);
  const size_t dots = names.find("..");
  const std::string first = names.substr(0, dots);
  const std::string last = dots == std::string::npos ? "" : names.substr(dots + 2);
  const auto like = [&](const std::string& name) {
    std::vector<const sites::UsdtProbe*> found;
    for (const auto& p : *probes) {
      if (fnmatch(provider.c_str(), p.provider.c_str(), 0) == 0 &&
          fnmatch(name.c_str(), p.name.c_str(), 0) == 0)
        found.push_back(&p);
    }
    return found;
  };
  for (const std::string& name : {first, last}) {
    if (!name.empty() && like(name).empty())
      return fail(
          fmt::format("{} has no USDT probe {}:{}", place->shown, provider, name),
          fmt::format("`nearzero list usdt:{}` shows its {}", place->shown, probes->size()));
  }
  const auto path = hold(place->path);
  if (!path) return tl::unexpected(path.error());
  const double hit = prices_.ns.at(probes::HitKind::uprobe);
  if (!last.empty()) {
    auto index = add_kind({provider + ":" + names, "usdt", 2 * hit, true});
    if (!index) return tl::unexpected(index.error());
    for (const auto* p : like(first)) {
      attach("nz_trace_begin", *path, {p->offset, *index, p->semaphore_offset});
      calls_.beginnings[*path].emplace_back(p->offset, *index);
    }
    for (const auto* p : like(last))
      attach("nz_trace_end", *path, {p->offset, *index, p->semaphore_offset});
    return {};
  }
  std::map<std::string, uint32_t> known;  // one name may stand at several places
  for (const auto* p : like(first)) {
    const std::string name = p->provider + ":" + p->name;
    auto at = known.find(name);
    if (at == known.end()) {
      auto index = add_kind({name, "usdt", hit, false});
      if (!index) return tl::unexpected(index.error());
      at = known.emplace(name, *index).first;
    }
    attach("nz_trace_hit", *path, {p->offset, at->second, p->semaphore_offset});
    calls_.beginnings[*path].emplace_back(p->offset, at->second);
  }
  return {};
}

}  // namespace

Result<Calls> find_calls(const Request& request, std::optional<pid_t> pid,
                         const observe::Prices& prices) {
  Finder finder(pid, request.nothrow, prices);
  for (const Target& target : request.targets) {
    Result<void> added;
    if (target.kind == Kind::func) added = finder.add_functions(target.place);
    if (target.kind == Kind::usdt) added = finder.add_usdt(target.place);
    if (!added) return tl::unexpected(added.error());
  }
  return finder.take();
}

}  // namespace nz::trace
