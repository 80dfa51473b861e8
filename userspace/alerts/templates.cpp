#include "userspace/alerts/templates.h"

#include <algorithm>

#include "userspace/config/nearest_key.h"
#include "userspace/config/problems.h"

namespace nz::alerts {
namespace {

constexpr std::string_view kOpen = "{{", kClose = "}}";

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

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

std::string plain_text(std::string_view text, std::size_t most) {
  constexpr std::string_view kEllipsis = "\xe2\x80\xa6";
  std::string out(text);
  if (out.size() > most) {
    std::size_t end = most > kEllipsis.size() ? most - kEllipsis.size() : 0;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0U) == 0x80U) end--;
    out.resize(end);
    out += kEllipsis;
  }
  std::string plain;
  for (std::size_t i = 0; i < out.size(); i++) {
    const auto byte = [&out](std::size_t at) {
      return at < out.size() ? static_cast<unsigned char>(out[at]) : 0U;
    };
    // U+0080 to U+009F are control characters, too: U+009B begins what ESC [ does.
    const bool c1 = byte(i) == 0xc2 && byte(i + 1) >= 0x80 && byte(i + 1) <= 0x9f;
    plain += c1 || byte(i) < 0x20 || byte(i) == 0x7f ? '?' : out[i];
    if (c1) i++;
  }
  return plain;
}

}  // namespace nz::alerts
