#include "probes/sqlite/families.h"

#include <array>
#include <cstdio>
#include <utility>

namespace nz::probes {
namespace {

using metrics::Family;
using metrics::Labels;
using metrics::Type;

constexpr std::array<const char*, 3> kWaits = {"busy", "sync", "checkpoint"};

// sqlite3.h, "Result Codes".
constexpr std::array<const char*, 29> kCodes = {
    "OK",       "ERROR",     "INTERNAL", "PERM",       "ABORT",    "BUSY",   "LOCKED",   "NOMEM",
    "READONLY", "INTERRUPT", "IOERR",    "CORRUPT",    "NOTFOUND", "FULL",   "CANTOPEN", "PROTOCOL",
    "EMPTY",    "SCHEMA",    "TOOBIG",   "CONSTRAINT", "MISMATCH", "MISUSE", "NOLFS",    "AUTH",
    "FORMAT",   "RANGE",     "NOTADB",   "NOTICE",     "WARNING"};

void add(Family& family, const Labels& labels, uint64_t value) {
  family.samples.push_back({labels, static_cast<double>(value), nullptr});
}

std::string hex(uint64_t hash) {
  std::array<char, 20> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(hash));
  return digits.data();
}

// What the kernel knows about its statements: target and hash by id.
std::map<uint32_t, nz_statement> kernel_table(const Env& env) {
  std::map<uint32_t, nz_statement> by_id;
  for (const nz_statement& s : env.object.array<nz_statement>("nz_statements")) {
    if (s.hash != 0 && s.id != 0) by_id[s.id] = s;
  }
  return by_id;
}

// What several of the kernel's statements add up to.
struct Digest {
  std::shared_ptr<const analysis::Histogram> inside, open;
  nz_statement_stats counts{};
};

void merge(std::shared_ptr<const analysis::Histogram>& all,
           std::shared_ptr<const analysis::Histogram> more) {
  if (!more) return;
  if (!all) {
    all = std::move(more);
    return;
  }
  auto both = std::make_shared<analysis::Histogram>(*all);
  both->merge(*more);
  all = std::move(both);
}

void add_id(const Env& env, std::span<nz_statement_stats> counts, uint32_t id, Digest& to) {
  const loader::Layout& layout = env.drain.layout();
  const uint32_t base = layout.statement_base() + id * NZ_STMT_SERIES;
  merge(to.inside, env.drain.histogram(base + NZ_STMT_INSIDE));
  merge(to.open, env.drain.histogram(base + NZ_STMT_OPEN));
  const auto n =
      env.drain.sum<nz_statement_stats>({counts.data(), counts.size()}, layout.max_statements, id);
  to.counts.count += n.count;
  to.counts.rows += n.rows;
  to.counts.errors += n.errors;
  for (std::size_t w = 0; w < kWaits.size(); w++) to.counts.wait_ns[w] += n.wait_ns[w];
  for (uint32_t cpu = 0; cpu < layout.cpus; cpu++) {
    const nz_statement_stats& of_cpu = counts[cpu * layout.max_statements + id];
    to.counts.codes |= of_cpu.codes;
    to.counts.stages |= of_cpu.stages;
  }
}

Labels with(Labels labels, const char* name, std::string value) {
  labels.emplace_back(name, std::move(value));
  return labels;
}

// What else is known of a digest: families of it without its text.
struct Breakdown {
  Family wait{"nearzero_sqlite_statement_wait_seconds_total",
              "Time in which statements of a digest waited in SQLite: busy handler, sync to disk, "
              "checkpoint. A kind that never occurred has no sample.",
              Type::counter,
              {}};
  Family code{
      "nearzero_sqlite_statement_code",
      "1: a statement of the digest has ended with that error since the agent saw it first.",
      Type::gauge,
      {}};
  Family stage{"nearzero_sqlite_statement_stage",
               "1: a statement of the digest has begun in that stage since the agent saw it first.",
               Type::gauge,
               {}};

  void add(const Env& env, const Labels& labels, const nz_statement_stats& counts) {
    const Labels digest(labels.begin(), labels.begin() + 2);  // target and digest
    for (std::size_t w = 0; w < kWaits.size(); w++) {
      if (counts.wait_ns[w] != 0)
        wait.samples.push_back({with(digest, "kind", kWaits[w]),
                                static_cast<double>(counts.wait_ns[w]) / 1e9, nullptr});
    }
    const uint64_t seen = counts.codes | counts.stages;  // none of most digests, each drain
    for (uint32_t bit = 0; bit < 64 && seen >> bit != 0; bit++) {
      if ((counts.codes >> bit & 1U) != 0)
        code.samples.push_back({with(digest, "code", result_code_name(bit)), 1, nullptr});
      if ((counts.stages >> bit & 1U) == 0) continue;
      const auto name = env.stage_names->find(bit);
      const bool known = bit < NZ_STATEMENT_STAGES && name != env.stage_names->end();
      stage.samples.push_back({with(digest, "stage", known ? name->second : "other"), 1, nullptr});
    }
  }
};

}  // namespace

std::string result_code_name(uint32_t code) {
  if (code < kCodes.size()) return std::string("SQLITE_") + kCodes[code];
  if (code == 100) return "SQLITE_ROW";
  if (code == 101) return "SQLITE_DONE";
  return "code_" + std::to_string(code);
}

void collect_statements(const Env& env, const StatementTexts& texts, std::vector<Family>& out) {
  const auto counts_map = env.object.array<nz_statement_stats>("nz_statement_counts");
  Family inside{"nearzero_sqlite_statement_duration_seconds",
                "Time of one statement inside SQLite in seconds; the caller's work between rows is "
                "not in it.",
                Type::histogram,
                {}};
  Family open{
      "nearzero_sqlite_statement_open_seconds",
      "Time from a statement's start to its end in seconds, with the caller's work between rows.",
      Type::histogram,
      {}};
  Family count{"nearzero_sqlite_statements_total", "Statements that ended.", Type::counter, {}};
  Family rows{"nearzero_sqlite_rows_total",
              "Rows returned (step plan only: elsewhere they are not free).",
              Type::counter,
              {}};
  Family errors{"nearzero_sqlite_statement_errors_total",
                "Statements that ended with an error.",
                Type::counter,
                {}};
  std::map<Labels, Digest> digests;
  add_id(env, counts_map, 0,
         digests[{{"target", "other"}, {"digest", "other"}, {"statement", "other"}}]);
  // All ids in use, also those whose text got lost on its way (ring full).
  const uint32_t end =
      std::min(env.object.control().next_statement, env.drain.layout().max_statements);
  for (const auto& [id, statement] : kernel_table(env)) {
    if (id >= end) continue;
    const StatementTexts::Known* known = texts.find(id);
    add_id(env, counts_map, id,
           digests[{{"target", env.target_name(statement.slot)},
                    {"digest", known == nullptr ? hex(statement.hash) : known->digest},
                    {"statement", known == nullptr ? "unknown" : known->text}}]);
  }
  Breakdown breakdown;
  for (auto& [labels, d] : digests) {
    if (d.inside) inside.samples.push_back({labels, 0, std::move(d.inside)});
    if (d.open) open.samples.push_back({labels, 0, std::move(d.open)});
    if (d.counts.count == 0) continue;
    add(count, labels, d.counts.count);
    add(rows, labels, d.counts.rows);
    add(errors, labels, d.counts.errors);
    breakdown.add(env, labels, d.counts);
  }
  for (Family* f :
       {&inside, &open, &count, &rows, &errors, &breakdown.wait, &breakdown.code, &breakdown.stage})
    out.push_back(std::move(*f));
}

void collect_targets(const Env& env, const std::map<uint32_t, nz_sqlite_stats>& stats,
                     const std::map<uint32_t, uint64_t>& open_connections,
                     std::vector<Family>& out) {
  Family wait{"nearzero_sqlite_wait_seconds",
              "Time of one wait inside SQLite in seconds: busy handler, sync to disk, checkpoint.",
              Type::histogram,
              {}};
  Family compile{"nearzero_sqlite_compile_seconds",
                 "Time to compile one statement in seconds.",
                 Type::histogram,
                 {}};
  Family results{
      "nearzero_sqlite_results_total",
      "Statements by the primary result code they ended with. Step plan: SQLITE_DONE is success, "
      "SQLITE_ROW a reset before the last row; boundary plan: SQLITE_OK is either.",
      Type::counter,
      {}};
  Family steps{"nearzero_sqlite_steps_total", "sqlite3_step calls (step plan).", Type::counter, {}};
  Family opens{"nearzero_sqlite_opens_total", "Connections opened.", Type::counter, {}};
  Family closes{"nearzero_sqlite_closes_total", "Connections closed.", Type::counter, {}};
  Family connections{"nearzero_sqlite_open_connections",
                     "Connections open now; those from before the attach are counted by their open "
                     "database files.",
                     Type::gauge,
                     {}};
  Family incomplete{
      "nearzero_sqlite_incomplete_total",
      "Statements that lack something: no_begin (timed from their end alone), ambiguous "
      "(interleaved: counted, no duration), not_sampled (no time inside), partial (beginning or "
      "end not seen: no duration; what is missing in the count is at most this), nested (steps "
      "inside SQL functions, not counted: their time is in the outer statement).",
      Type::counter,
      {}};
  Family sampled{"nearzero_sqlite_sampled_inside_ratio",
                 "Boundary plan: share of the open time of reads that is inside SQLite, from "
                 "sampling windows.",
                 Type::gauge,
                 {}};
  for (const auto& [slot, s] : stats) {
    const Labels target{{"target", env.target_name(slot)}};
    const uint32_t base = env.drain.layout().sqlite_wait_base() + slot * NZ_WAITS;
    for (uint32_t k = 0; k < kWaits.size(); k++) {
      if (auto h = env.drain.histogram(base + k))
        wait.samples.push_back({with(target, "kind", kWaits[k]), 0, std::move(h)});
    }
    if (auto h = env.drain.histogram(base + NZ_WAIT_COMPILE))
      compile.samples.push_back({target, 0, std::move(h)});
    for (uint32_t code = 0; code < 128; code++) {
      if (s.result[code] != 0)
        add(results, with(target, "code", result_code_name(code)), s.result[code]);
    }
    add(steps, target, counted_steps(s));
    add(opens, target, s.opens);
    add(closes, target, s.closes);
    const auto open_now = open_connections.find(slot);
    add(connections, target, open_now == open_connections.end() ? 0 : open_now->second);
    add(incomplete, with(target, "cause", "no_begin"), s.no_begin);
    add(incomplete, with(target, "cause", "ambiguous"), s.ambiguous);
    add(incomplete, with(target, "cause", "not_sampled"), s.not_sampled);
    add(incomplete, with(target, "cause", "partial"), s.partial);
    add(incomplete, with(target, "cause", "nested"), s.nested);
    if (s.sampled_open_ns != 0) {
      sampled.samples.push_back(
          {target,
           static_cast<double>(s.sampled_inside_ns) / static_cast<double>(s.sampled_open_ns),
           nullptr});
    }
  }
  for (Family* f :
       {&wait, &compile, &results, &steps, &opens, &closes, &connections, &incomplete, &sampled})
    out.push_back(std::move(*f));
}

void collect_plans(const Env& env, const std::set<std::pair<uint32_t, SqlitePlan>>& plans,
                   std::vector<Family>& out) {
  Family plan{"nearzero_sqlite_plan",
              "1 for the plan in use: step (exact) or boundary (cheap for many rows).",
              Type::gauge,
              {}};
  for (const auto& [slot, p] : plans)
    add(plan, {{"target", env.target_name(slot)}, {"plan", plan_name(p)}}, 1);
  out.push_back(std::move(plan));
}

}  // namespace nz::probes
