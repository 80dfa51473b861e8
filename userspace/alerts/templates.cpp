#include "userspace/alerts/templates.h"

#include <algorithm>

#include "userspace/base/trimmed.h"
#include "userspace/config/nearest_key.h"
#include "userspace/config/problems.h"

namespace nz::alerts {
namespace {

constexpr std::string_view kOpen = "{{", kClose = "}}";

}  // namespace

Result<Template> Template::parse(std::string_view text, const std::vector<std::string>& names,
                                 const std::vector<std::string>& labels) {
  std::vector<std::string> known = names;
  for (const std::string& label : labels) known.push_back("labels." + label);
  Template result;
  while (!text.empty()) {
    const auto open = text.find(kOpen);
    if (open > 0) result.parts_.push_back({false, std::string(text.substr(0, open))});
    if (open == std::string_view::npos) break;
    text.remove_prefix(open + kOpen.size());
    const auto close = text.find(kClose);
    if (close == std::string_view::npos)
      return fail("'{{' without '}}'", "write for instance {{ value }}");
    const std::string name(trimmed(text.substr(0, close)));
    text.remove_prefix(close + kClose.size());
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string nearest = config::nearest_key(name, known);
      if (!nearest.empty()) {
        return fail("nothing is called " + config::in_quotes(name),
                    "did you mean '" + nearest + "'?");
      }
      std::string all;
      for (const std::string& word : known) all += (all.empty() ? "" : ", ") + word;
      return fail("nothing is called " + config::in_quotes(name), "known here: " + all);
    }
    result.parts_.push_back({true, name});
  }
  return result;
}

std::string Template::fill(const Fields& fields) const {
  std::string out;
  for (const Part& part : parts_) {
    if (!part.is_name) {
      out += part.text;
      continue;
    }
    const auto found = fields.find(part.text);
    out += found == fields.end() || found->second.empty() ? "-" : found->second;
  }
  return plain_text(out, kMostBytes);
}

}  // namespace nz::alerts
