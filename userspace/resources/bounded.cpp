#include "userspace/resources/bounded.h"

#include <set>

namespace nz::resources {

double Bounded::see(Cell& cell, size_t column, uint64_t now) const {
  cell.now = now;
  switch (columns_[column]) {
    case Column::counter:
      return static_cast<double>(cell.growth.see(now));
    case Column::counter_32:
      return static_cast<double>(cell.growth.see_32(now));
    case Column::gauge:
      break;
  }
  return static_cast<double>(now);
}

void Bounded::choose_names(const std::vector<Item>& items) {
  std::set<std::string_view> present;
  for (const Item& item : items) present.insert(item.name);
  const auto gone = [&](const auto& entry) { return !present.contains(entry.first); };
  std::erase_if(named_, gone);
  std::erase_if(rest_, gone);
  for (const bool preferred : {true, false}) {
    for (const Item& item : items) {
      if (named_.size() >= limit_) return;
      if (item.preferred != preferred || named_.contains(item.name)) continue;
      rest_.erase(item.name);
      named_.emplace(item.name, Cells(columns_.size()));
    }
  }
}

void Bounded::update(const std::vector<Item>& items) {
  choose_names(items);
  for (size_t c = 0; c < columns_.size(); c++) {
    if (columns_[c] == Column::gauge) other_[c] = 0;
  }
  for (const Item& item : items) {
    const auto own = named_.find(item.name);
    Cells& cells = own != named_.end()
                       ? own->second
                       : rest_.try_emplace(item.name, Cells(columns_.size())).first->second;
    for (size_t c = 0; c < columns_.size(); c++) {
      const double growth = see(cells[c], c, item.values[c]);
      if (own == named_.end()) other_[c] += growth;
    }
  }
  ever_other_ = ever_other_ || !rest_.empty();
}

std::map<std::string, Bounded::Row> Bounded::named() const {
  std::map<std::string, Row> result;
  for (const auto& [name, cells] : named_) {
    Row& row = result[name];
    for (size_t c = 0; c < columns_.size(); c++) {
      row.push_back(columns_[c] == Column::gauge ? static_cast<double>(cells[c].now)
                                                 : cells[c].growth.total());
    }
  }
  return result;
}

}  // namespace nz::resources
