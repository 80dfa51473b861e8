#include "probes/sqlite/hooks.h"

#include <algorithm>
#include <utility>

namespace nz::probes {

Result<std::vector<Fd>> SqliteHooks::step(pid_t pid, const SqliteAttached& a, uint32_t flags) {
  const sites::SqliteOffsets& offsets = a.binary->offsets;
  const loader::UprobeSite site{
      a.binary->step->offset,
      NZ_SQL_COOKIE(a.slot, flags, a.compile_attach, offsets.sql.value.value_or(0),
                    offsets.vdbe_state.value.value_or(0), next_attach())};
  std::vector<Fd> links(2);
  for (const auto& [at, program] :
       {std::pair{1, "nz_sqlite_step_return"}, std::pair{0, "nz_sqlite_step"}}) {
    auto link = env_.object.attach_uprobes(program, a.path(), pid, {&site, 1});
    if (!link) return tl::unexpected(link.error());
    links[static_cast<size_t>(at)] = std::move(*link);
  }
  return links;
}

Result<std::vector<Fd>> SqliteHooks::boundary(pid_t pid, const SqliteAttached& a) {
  const SqliteBinary& b = *a.binary;
  const uint32_t flags = (next_attach() % 15 + 1) << NZ_SQL_ATTACH_SHIFT;
  const loader::UprobeSite begin{b.begin->offset, NZ_SQL_COOKIE(a.slot, flags, a.compile_attach, 0,
                                                                b.in_trans.value_or(0), 0)};
  const loader::UprobeSite halt{
      b.halt->offset,
      NZ_SQL_COOKIE(a.slot, flags, a.compile_attach, b.offsets.sql.value.value_or(0),
                    b.offsets.vdbe_state.value.value_or(0), b.offsets.rc.value.value_or(0))};
  std::vector<Fd> links;
  // Halt first: a begin without its halt would pair with the wrong one.
  for (const auto& [program, site] :
       {std::pair{"nz_sqlite_halt", &halt}, std::pair{"nz_sqlite_begin", &begin}}) {
    auto link = env_.object.attach_uprobes(program, a.path(), pid, {site, 1});
    if (!link) return tl::unexpected(link.error());
    links.push_back(std::move(*link));
  }
  return links;
}

bool SqliteHooks::attach_besides(const char* program, pid_t pid, SqliteAttached& a,
                                 std::span<const loader::UprobeSite> sites,
                                 std::vector<Fd>& links) {
  if (sites.empty()) return false;
  auto link = env_.object.attach_uprobes(program, a.path(), pid, sites);
  if (!link) {
    const std::string why = std::string(program) + ": " + link.error().text();
    auto& missing = a.binary->missing;
    if (std::find(missing.begin(), missing.end(), why) == missing.end()) missing.push_back(why);
    return false;
  }
  links.push_back(std::move(*link));
  return true;
}

void SqliteHooks::waits(pid_t pid, SqliteAttached& a) {
  const SqliteBinary& b = *a.binary;
  std::vector<loader::UprobeSite> where;
  const uint32_t number = next_attach() % 15 + 1;
  // What threads remember of texts ends here: compiles may have gone unseen.
  __atomic_fetch_add(&env_.object.control().sqlite_compiles[a.slot], 1, __ATOMIC_SEQ_CST);
  const auto wait = [&](const std::vector<SqliteSite>& sites, nz_sqlite_wait kind) {
    for (const SqliteSite& s : sites)
      where.push_back(
          {s.offset, NZ_SQL_COOKIE(a.slot, kind << NZ_SQL_WAIT_SHIFT, number, 0, 0, 0)});
  };
  wait(b.busy, NZ_WAIT_BUSY);
  wait(b.sync, NZ_WAIT_SYNC);
  wait(b.checkpoint, NZ_WAIT_CHECKPOINT);
  if (b.compile) wait({*b.compile}, NZ_WAIT_COMPILE);
  if (attach_besides("nz_sqlite_wait", pid, a, where, a.wait_links) && b.compile)
    a.compile_attach = number;
}

void SqliteHooks::connections(pid_t pid, SqliteAttached& a) {
  std::vector<loader::UprobeSite> where;
  for (const SqliteSite& s : a.binary->open)
    where.push_back({s.offset, NZ_SQL_COOKIE(a.slot, 0, 0, 0, 0, 0)});
  for (const SqliteSite& s : a.binary->close)
    where.push_back({s.offset, NZ_SQL_COOKIE(a.slot, NZ_SQL_CLOSE, 0, 0, 0, 0)});
  attach_besides("nz_sqlite_open", pid, a, where, a.connection_links);
}

}  // namespace nz::probes
