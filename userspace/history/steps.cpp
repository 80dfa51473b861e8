#include "userspace/history/steps.h"

#include <cmath>
#include <utility>

namespace nz::history {
namespace {

constexpr double kMost = 1e6;

}  // namespace

std::optional<Steps> Steps::of(const Contents& contents, double from, double to, double step) {
  const double exact = (to - from) / step;
  if (contents.size() == 0 || !(step > 0) || !(exact > 0) || exact > kMost) return std::nullopt;
  return Steps(contents, from, to, step, static_cast<std::size_t>(std::ceil(exact - 1e-9)));
}

void Steps::run(Scan::Wanted wanted, const Tell& tell) const {
  Scan scan(contents_, std::move(wanted));
  std::vector<Growth> growths;
  std::size_t number = 1;  // the step that points go to, and where it begins and ends
  std::size_t begin = contents_.nearest(from_);
  std::size_t end = contents_.nearest(end_of(number));
  const std::size_t first = begin;
  const auto close_until = [&](std::size_t point) {
    for (; number <= count_ && end <= point; number++) {
      growths.resize(scan.states().size());
      const bool whole = end > begin && end == point;
      tell(number, whole ? contents_.at(end) - contents_.at(begin) : 0, scan.states(), growths);
      for (Growth& growth : growths) growth = {};
      begin = end;
      if (number < count_) end = contents_.nearest(end_of(number + 1));
    }
  };
  scan.run(first, contents_.nearest(to_), [&](std::size_t point) {
    if (point > first) {
      growths.resize(scan.states().size());
      for (std::size_t i = 0; i < growths.size(); i++) growths[i].add(scan.states()[i]);
    }
    close_until(point);
  });
}

}  // namespace nz::history
