#include "userspace/alerts/service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "userspace/alerts/alert_json.h"
#include "userspace/alerts/rule_file.h"
#include "userspace/base/clock.h"

namespace nz::alerts {
namespace {

constexpr int kServiceVersion = 1;
constexpr std::size_t kMostUrls = 16;  // a thread each
// Waiting times alone are saved so often: a sync is felt by whoever else writes to the disk.
constexpr double kNoteSeconds = 300;

std::string place_of(const Courier& courier) { return courier.receiver() + ' ' + courier.url(); }

std::string labels_text(const Alert& alert) {
  std::string text;
  for (const auto& [name, value] : alert.labels) {
    if (name != "alertname" && name != "severity")
      text += (text.empty() ? "" : ", ") + name + "=" + value;
  }
  return text;
}

std::string summary_of(const Alert& alert) {
  for (const auto& [name, text] : alert.annotations) {
    if (name == "summary") return text;
  }
  return value_text(alert.value, alert.unit);
}

}  // namespace

Service::Service(Options options)
    : options_(std::move(options)), engine_([this] {
        Engine::Options o = options_.engine;
        o.host = options_.host;
        return o;
      }()) {
  if (!options_.now) options_.now = unix_seconds;
  load(options_.rule_files);
  nlohmann::json saved = nlohmann::json::object();
  if (!options_.state_file.empty()) {
    saved = restore();
    // A courier may deliver, and have that saved, before all have begun: it is to be whole then.
    for (const auto& [place, told] : saved.items()) unclaimed_[place] = told.dump();
    note_engine();
    // After what it will write over has been read.
    keeper_ = std::make_unique<StateKeeper>(options_.state_file, [this] { return compose(); });
  }
  look_back();
  set_receivers(saved);
  note_change();
}

Service::~Service() {
  for (const auto& courier : couriers_) courier->stop();
  note_engine();
  keeper_.reset();  // writes, while what it reads is there
}

// What cannot be read leaves what is in force, as a configuration does: nobody's alerts end by a
// mistake in an editor.
void Service::load(const std::vector<std::string>& rule_files) {
  auto next = std::make_shared<RuleFile>(load_rules(rule_files));
  for (const std::string& problem : next->problems) spdlog::error("alert rules: {}", problem);
  const auto before = file();
  if (!next->readable && !before->name.empty()) {
    spdlog::error("alert rules: the {} rules before stay in force", before->rules.size());
    auto same = std::make_shared<RuleFile>(*before);
    same->problems = std::move(next->problems);
    next = std::move(same);
  } else if (!rule_files.empty()) {
    spdlog::info("alerts: {} rules, {} left out, {} receivers, from {}", next->rules.size(),
                 next->bad_rules, next->receivers.size(), next->name);
  }
  const std::lock_guard lock(mutex_);
  file_ = std::move(next);
}

std::shared_ptr<const RuleFile> Service::file() const {
  const std::lock_guard lock(mutex_);
  return file_;
}

void Service::reload(const std::vector<std::string>& rule_files) {
  load(rule_files);
  set_receivers(nlohmann::json::object());
  const std::lock_guard lock(mutex_);
  publish();
  note_change();
}

// Couriers of receivers that did not change go on with what the old ones have told; after a start
// with what was saved.
void Service::set_receivers(const nlohmann::json& saved) {
  const auto file = this->file();
  Couriers before = couriers_, next;
  nlohmann::json known = saved;
  for (const auto& [place, told] : unclaimed_) known[place] = nlohmann::json::parse(told);
  std::size_t left_out = 0;
  bool may_come_back = !file->readable || !file->bad_receivers.empty();
  const auto changed = [this] { note_change(); };
  for (const Receiver& receiver : file->receivers) {
    for (const std::string& url : receiver.urls) {
      if (next.size() == kMostUrls) {
        left_out++;
        continue;
      }
      std::shared_ptr<Courier> courier;
      try {
        courier = std::make_shared<Courier>(receiver, url, options_.url, changed, options_.now);
      } catch (const std::system_error& e) {
        may_come_back = true;
        spdlog::error(
            "receiver {}: it gets no thread and is left out, the log has its alerts: {}; "
            "raise the limit of tasks and reload",
            receiver.name, e.what());
        continue;
      }
      const std::string place = place_of(*courier);
      const auto old = std::find_if(before.begin(), before.end(),
                                    [&](const auto& c) { return place_of(*c) == place; });
      Result<void> taken;
      if (old != before.end()) {
        (*old)->stop();
        taken = courier->restore((*old)->save());
      } else if (known.contains(place)) {
        taken = courier->restore(known.at(place).dump());
      }
      if (!taken) spdlog::error("receiver {}: {}", receiver.name, taken.error().text());
      known.erase(place);
      next.push_back(std::move(courier));
    }
  }
  if (left_out > 0) {
    spdlog::error("alerts: {} URLs of receivers are left out, at most {} are used", left_out,
                  kMostUrls);
  }
  // All before one is waited for: those of receivers that are gone tell nobody any more, and call
  // nothing of this object, which may end sooner than they do.
  for (const auto& courier : before) {
    courier->stop();
    const std::string place = place_of(*courier);
    const bool goes_on =
        std::any_of(next.begin(), next.end(), [&](const auto& c) { return place_of(*c) == place; });
    if (!goes_on) known[place] = nlohmann::json::parse(courier->save());
  }
  {
    const std::lock_guard lock(mutex_);
    couriers_ = std::move(next);
    unclaimed_.clear();
    if (may_come_back) {
      for (const auto& [place, told] : known.items()) unclaimed_[place] = told.dump();
    }
  }
  // Their threads may wait for the network; the agent's does not.
  try {
    if (!before.empty()) std::thread([before = std::move(before)] {}).detach();
  } catch (const std::system_error&) {  // no thread: they were waited for here
  }
}

nlohmann::json Service::restore() {
  const auto read = read_state(options_.state_file);
  if (!read) {
    set_aside(options_.state_file, read.error().text());  // what is begun anew would write over it
    return nlohmann::json::object();
  }
  if (read->empty()) return nlohmann::json::object();
  try {
    auto in = nlohmann::json::parse(*read);
    if (in.at("version").get<int>() != kServiceVersion)
      throw std::invalid_argument("version " + in.at("version").dump());
    if (!in.at("receivers").is_object())
      throw std::invalid_argument("what receivers were told is no map");
    const auto engine = engine_.restore(in.at("engine").dump());
    if (!engine) throw std::invalid_argument(engine.error().text());
    const auto silences = silences_.restore(in.at("silences").dump());
    if (!silences) throw std::invalid_argument(silences.error().text());
    return std::move(in.at("receivers"));
  } catch (const std::exception& e) {
    set_aside(options_.state_file, e.what());
    return nlohmann::json::object();
  }
}

Engine::Changes Service::step(const Facts& facts, double now) {
  const auto start = std::chrono::steady_clock::now();
  const auto file = this->file();
  if (file != judged_) {  // read since the last step
    engine_.set_rules(file->rules, file->readable);
    judged_ = file;
  }
  // Without rules because none could be read, nothing is known of what fired before the start.
  if (!file->readable && file->rules.empty()) return {};
  Engine::Changes changes = engine_.step(facts, now);
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (const Alert& alert : changes.fired)
    spdlog::warn("alert {} ({}) fires: {} [{}]", alert.rule, word(alert.severity),
                 summary_of(alert), labels_text(alert));
  for (const Alert& alert : changes.resolved)
    spdlog::info("alert {} is over after {:.0f} s [{}]", alert.rule,
                 alert.resolved_at - alert.fired_at, labels_text(alert));
  look_back();
  bool worth_saving = !changes.fired.empty() || !changes.resolved.empty();
  {
    const std::lock_guard lock(mutex_);
    worth_saving |= silences_.expire(now) > 0;
    publish();
  }
  const bool waits = engine_.size() > 0 && (now < last_note_ || now - last_note_ >= kNoteSeconds);
  if (worth_saving || waits) {
    last_note_ = now;
    note_engine();
  }
  return changes;
}

// On the thread that steps.
void Service::look_back() {
  auto seen = std::make_shared<const Seen>(
      Seen{engine_.alerts(), engine_.unknown(), engine_.dropped(), engine_.failures(), seconds_});
  const std::lock_guard lock(mutex_);
  seen_ = std::move(seen);
}

// On the thread that steps.
void Service::note_engine() {
  std::string engine = engine_.save();
  {
    const std::lock_guard lock(mutex_);
    saved_engine_ = std::move(engine);
  }
  note_change();
}

void Service::note_change() const {
  if (keeper_) keeper_->changed();
}

std::vector<Alert> Service::alerts() const {
  const std::lock_guard lock(mutex_);
  return silenced();
}

// With the lock held.
std::vector<Alert> Service::silenced() const {
  std::vector<Alert> all = seen_->alerts;
  const double now = options_.now();
  for (Alert& alert : all) {
    if (const Silence* silence = silences_.of(alert.labels, now)) alert.silenced_by = silence->id;
  }
  return all;
}

// With the lock held: what couriers hear last is what is newest. An alert that were missing in what
// they hear would have ended.
void Service::publish() {
  const std::vector<Alert> all = silenced();
  for (const auto& courier : couriers_) courier->update(all);
}

// On the keeper's thread. The larger parts are JSON already.
std::string Service::compose() const {
  Couriers couriers;
  std::map<std::string, std::string> unclaimed;
  std::string out;
  {
    const std::lock_guard lock(mutex_);
    couriers = couriers_;
    unclaimed = unclaimed_;
    out = "{\"version\":" + std::to_string(kServiceVersion) + ",\"engine\":" + saved_engine_ +
          ",\"silences\":" + silences_.save() + ",\"receivers\":{";
  }
  auto add = [&out, first = true](const std::string& place, const std::string& told) mutable {
    out += (first ? "" : ",") + dump(nlohmann::json(place)) + ":" + told;
    first = false;
  };
  for (const auto& courier : couriers) add(place_of(*courier), courier->save());
  for (const auto& [place, told] : unclaimed) add(place, told);
  return out + "}}\n";
}

}  // namespace nz::alerts
