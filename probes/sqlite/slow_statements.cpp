#include "probes/sqlite/slow_statements.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "analysis/sql_digest.h"

namespace nz::probes {
namespace {

using metrics::Family;
using metrics::Type;

constexpr size_t kShownBytes = 1000;

double seconds(uint64_t ns) { return static_cast<double>(ns) / 1e9; }

void store(uint64_t& to, uint64_t value) { __atomic_store_n(&to, value, __ATOMIC_RELAXED); }
uint64_t load(const uint64_t& from) { return __atomic_load_n(&from, __ATOMIC_RELAXED); }

// Which database a statement is of tells its plan; without one, that there is only one.
std::vector<std::string> settings_for(const analysis::SlowStatement& s,
                                      const std::map<std::string, advice::JournalState>& journals) {
  const auto journal = journals.find(s.database);
  if (journal == journals.end()) return {};
  const bool reads = s.sql.starts_with("SELECT") || s.sql.starts_with("select");
  return advice::journal_advice({s.inside, s.sync, s.checkpoint, s.busy, reads}, journal->second);
}

}  // namespace

SlowStatements::SlowStatements(const Env& env, const StatementTexts& texts)
    : env_(env), texts_(texts), kernel_(env.object.array<nz_slow_target>("nz_slow_targets")) {}

const config::Target* SlowStatements::target(uint32_t slot) const {
  const config::Target* t = env_.tracker.target(slot);
  return t != nullptr && t->sqlite ? t : nullptr;
}

// Inside SQLite where that is known for the statement, else open: what the kernel compares.
analysis::Histogram SlowStatements::durations_of(uint32_t slot) const {
  analysis::Histogram all;
  const loader::Layout& layout = env_.drain.layout();
  for (const auto& [id, known] : texts_.known()) {
    if (known.slot != slot || id >= layout.max_statements) continue;
    const uint32_t base = layout.statement_base() + id * NZ_STMT_SERIES;
    const auto inside = env_.drain.histogram(base + NZ_STMT_INSIDE);
    const auto open = env_.drain.histogram(base + NZ_STMT_OPEN);
    // Boundary plan: of reads, sampling windows have a few.
    const bool sampled = open && (!inside || inside->count() < open->count() / 2);
    if (sampled) {
      all.merge(*open);
    } else if (inside) {
      all.merge(*inside);
    }
  }
  return all;
}

// Advice once for each digest; what the plan itself says is in the details.
void SlowStatements::announce() {
  for (const auto& [question, answer] : explainer_.news()) {
    if (!answer.problem.empty()) {
      spdlog::debug("no plan for {} of {}: {}", question.digest, question.target, answer.problem);
    } else if (answer.explained.has_missing_index &&
               announced_[{question.target, question.digest}] != answer.explained.advice.front()) {
      announced_[{question.target, question.digest}] = answer.explained.advice.front();
      spdlog::info("target {}, {}: an index is missing for statement {}: {}", question.target,
                   answer.database, question.digest, answer.explained.advice.front());
    }
  }
}

void SlowStatements::tick() {
  announce();
  const auto now = AdaptiveThreshold::Time::clock::now();
  for (uint32_t slot = 1; slot < kernel_.size(); slot++) {
    const config::Target* t = target(slot);
    if (t == nullptr) {
      store(kernel_[slot].threshold_ns, 0);
      adaptive_.erase(slot);
      continue;
    }
    store(kernel_[slot].wants_text, t->sqlite_keep_literals || t->sqlite_explain ? 1 : 0);
    if (const auto fixed = fixed_threshold(t->sqlite_slow)) {
      store(kernel_[slot].threshold_ns, *fixed);
      adaptive_.erase(slot);
      continue;
    }
    AdaptiveThreshold& adaptive = adaptive_[slot];
    if (adaptive.is_due(now)) adaptive.update(now, durations_of(slot));
    store(kernel_[slot].threshold_ns, adaptive.ns());
  }
}

void SlowStatements::stop() {
  for (nz_slow_target& t : kernel_) store(t.threshold_ns, 0);
}

void SlowStatements::on_event(std::span<const std::byte> bytes) {
  auto record = decode_slow(bytes);
  if (!record) return;
  const nz_slow_statement_event& e = record->event;
  const config::Target* t = target(e.head.slot);
  if (t == nullptr) return;  // a reload came first
  const StatementTexts::Known* known = texts_.find(e.id);
  if (known != nullptr && !is_text_of(record->text, *known)) record->text.clear();
  if (known == nullptr) record->text.clear();
  analysis::SlowStatement s;
  s.at = unix_seconds(e.head.ts);
  s.target = t->name;
  s.digest = known == nullptr ? "other" : known->digest;
  s.sql = known == nullptr ? "other" : analysis::shorten_sql(known->display, kShownBytes);
  if (t->sqlite_keep_literals && !record->text.empty())
    s.sql = analysis::shorten_sql(record->text, kShownBytes);
  if (e.stage != 0) {
    const auto name = env_.stage_names->find(e.stage - 1);
    if (name != env_.stage_names->end()) s.stage = name->second;
  }
  s.pid = static_cast<int>(e.head.tgid);
  s.tid = static_cast<int>(e.tid);
  s.result = static_cast<int>(e.result);
  s.inside = seconds(e.inside_ns);
  s.open = seconds(e.open_ns);
  s.busy = seconds(e.wait_ns[NZ_WAIT_BUSY]);
  s.sync = seconds(e.wait_ns[NZ_WAIT_SYNC]);
  s.checkpoint = seconds(e.wait_ns[NZ_WAIT_CHECKPOINT]);
  s.rows = e.rows;
  // A text that fills its place may go on.
  if (t->sqlite_explain && !record->text.empty() && record->text.size() < NZ_SLOW_TEXT - 1)
    explainer_.ask({s.digest, s.target, record->text, static_cast<pid_t>(s.pid)});
  spdlog::debug(
      "slow statement: target={} digest={} pid={} tid={} inside={:.9f} open={:.9f} busy={:.9f} "
      "sync={:.9f} checkpoint={:.9f} rows={} result={} stage={} inside_known={} sql={}",
      s.target, s.digest, s.pid, s.tid, s.inside, s.open, s.busy, s.sync, s.checkpoint, s.rows,
      s.result, s.stage.empty() ? "-" : s.stage, (e.flags & NZ_SLOW_INSIDE_UNKNOWN) == 0, s.sql);
  log_.add(std::move(s));
}

void SlowStatements::details(const DatabaseWatch& databases, analysis::Details& out) const {
  std::map<std::string, std::map<std::string, advice::JournalState>> journals;  // by target
  for (analysis::SlowStatement& s : log_.all()) {
    if (const auto answer = explainer_.answer(s.target, s.digest)) {
      s.database = answer->database;
      s.plan = answer->problem.empty() ? answer->explained.plan : "no plan: " + answer->problem;
      s.advice = answer->explained.advice;
    }
    const auto [known, fresh] = journals.try_emplace(s.target);
    if (fresh) known->second = databases.journals(s.target);
    // One that has a single database open can have asked no other (but ":memory:" beside it).
    if (s.database.empty() && known->second.size() == 1) s.database = known->second.begin()->first;
    s.settings = settings_for(s, known->second);
    out.slow_statements.push_back(std::move(s));
  }
}

void SlowStatements::collect(std::vector<Family>& out) const {
  Family slow{"nearzero_sqlite_slow_statements_total",
              "Single statements over their target's threshold that were logged.",
              Type::counter,
              {}};
  Family dropped{"nearzero_sqlite_slow_dropped_total",
                 "Statements over the threshold that were not logged: more than the rate limit "
                 "lets through, or the event ring was full.",
                 Type::counter,
                 {}};
  Family threshold{"nearzero_sqlite_slow_threshold_seconds",
                   "From this duration on a statement is logged; 0: none is.",
                   Type::gauge,
                   {}};
  for (const auto& [key, count] : log_.counts()) {
    slow.samples.push_back(
        {{{"target", key.first}, {"digest", key.second}}, static_cast<double>(count), nullptr});
  }
  for (uint32_t slot = 1; slot < kernel_.size(); slot++) {
    const nz_slow_target& k = kernel_[slot];
    if (target(slot) == nullptr) continue;
    const std::string name = env_.target_name(slot);
    const auto drop = [&](const char* cause, uint64_t n) {
      dropped.samples.push_back(
          {{{"target", name}, {"cause", cause}}, static_cast<double>(n), nullptr});
    };
    drop("rate", load(k.limited));
    drop("ring_full", load(k.ring_full));
    threshold.samples.push_back({{{"target", name}}, seconds(load(k.threshold_ns)), nullptr});
  }
  for (Family* f : {&slow, &dropped, &threshold}) out.push_back(std::move(*f));
}

}  // namespace nz::probes
