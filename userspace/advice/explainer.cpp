#include "userspace/advice/explainer.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "userspace/base/guard.h"

namespace nz::advice {

Explainer::Answer explain_now(const Explainer::Question& question,
                              std::chrono::milliseconds limit) {
  Explainer::Answer answer;
  answer.problem = "no database file is open";
  for (const OpenDatabase& database : databases_of(question.pid)) {
    auto opened = ReadOnly::open(database, limit);
    if (!opened) {
      answer.problem = opened.error().text();
      continue;
    }
    const auto rows = (*opened)->explain(question.sql);
    if (!rows) {
      answer.problem = rows.error().text();
      continue;
    }
    std::vector<IndexAdvice> indexes;
    if (std::any_of(rows->begin(), rows->end(), is_dear)) {
      const auto schema = (*opened)->schema();
      if (schema) indexes = missing_indexes(*schema, question.sql).value_or(indexes);
    }
    answer.explained = explain_plan(*rows, indexes);
    answer.database = database.shown;
    answer.problem.clear();
    return answer;
  }
  return answer;
}

Explainer::Explainer(const Options& options) : options_(options) {}
Explainer::~Explainer() = default;

void Explainer::ask(const Question& question) {
  const std::lock_guard lock(mutex_);
  const Key key{question.target, question.digest};
  const auto known = known_.find(key);
  if (known != known_.end() && Clock::now() - known->second.at < options_.again) return;
  const bool asked = std::any_of(waiting_.begin(), waiting_.end(), [&](const Question& q) {
    return q.target == question.target && q.digest == question.digest;
  });
  if (asked || waiting_.size() >= options_.waiting) return;
  waiting_.push_back(question);
  if (!thread_.joinable())
    thread_ = std::jthread([this](const std::stop_token& stop) {
      Guard().keep("plans of statements", [&] { work(stop); });
    });
  wake_.notify_one();
}

std::optional<Explainer::Answer> Explainer::answer(const std::string& target,
                                                   const std::string& digest) const {
  const std::lock_guard lock(mutex_);
  const auto known = known_.find({target, digest});
  if (known == known_.end()) return std::nullopt;
  return known->second.answer;
}

std::vector<std::pair<Explainer::Question, Explainer::Answer>> Explainer::news() {
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, {});
}

std::uint64_t Explainer::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

void Explainer::work(const std::stop_token& stop) {
  // Of this thread alone: the target goes first.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 19);
  Guard guard;
  std::unique_lock lock(mutex_);
  while (wake_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
    const Question question = waiting_.front();
    waiting_.erase(waiting_.begin());
    lock.unlock();
    Answer answer;
    if (!guard.run("a plan of a statement",
                   [&] { answer = explain_now(question, options_.limit); }))
      answer.problem = "the look failed, see the log";
    lock.lock();
    const Key key{question.target, question.digest};
    if (!answer.problem.empty()) failed_++;
    if (news_.size() < options_.waiting) news_.emplace_back(question, answer);
    if (known_.size() >= options_.known && !known_.contains(key)) {
      known_.erase(std::min_element(known_.begin(), known_.end(), [](const auto& a, const auto& b) {
        return a.second.at < b.second.at;
      }));
    }
    // A plan that was found stays when the next look fails.
    Known& place = known_[key];
    place.at = Clock::now();
    if (answer.problem.empty() || !place.answer.problem.empty() || place.answer.database.empty())
      place.answer = std::move(answer);
    wake_.wait_for(lock, stop, options_.pause, [] { return false; });
  }
}

}  // namespace nz::advice
