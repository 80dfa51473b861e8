#include "userspace/detected/spell.h"

#include <exception>
#include <nlohmann/json.hpp>

#include "userspace/detected/json.h"

namespace nz::detected {
namespace {

using nlohmann::json;
constexpr int kVersion = 1;

}  // namespace

template <class T>
std::string save(const Spell<T>& spell) {
  const json out = {
      {"version", kVersion}, {"from", spell.from}, {"to", spell.to}, {"what", to_json(spell.what)}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

template <class T>
Result<Spell<T>> parse(std::string_view saved) {
  try {
    const json in = json::parse(saved);
    if (in.at("version") != kVersion) return fail("another version wrote it");
    Spell<T> spell;
    spell.from = in.at("from");
    spell.to = in.at("to");
    from_json(in.at("what"), spell.what);
    return spell;
  } catch (const std::exception& e) {  // json's and the range of `state`
    return fail(e.what());
  }
}

template std::string save(const Spell<analysis::Regression>&);
template std::string save(const Spell<analysis::Incident>&);
template Result<Spell<analysis::Regression>> parse(std::string_view);
template Result<Spell<analysis::Incident>> parse(std::string_view);

}  // namespace nz::detected
