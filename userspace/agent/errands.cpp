#include "userspace/agent/errands.h"

#include "userspace/base/clock.h"

namespace nz::agent {
namespace {

constexpr std::chrono::seconds kBetweenLooks{5};  // at a clock: most of them find nothing to do

}  // namespace

Errands::Errands(const rest::Source& source) : reports_(source, kept_), forecasts_(source) {}

Errands::~Errands() { kept_->set_archive(nullptr); }

void Errands::start(store::Store* store) {
  if (store != nullptr) {
    archive_.emplace(*store);
    kept_->set_archive(&*archive_);
  }
  background_.start({{"reports", kBetweenLooks, [this] { reports_.step(unix_seconds()); }},
                     {"forecasts", kBetweenLooks, [this] { forecasts_.step(unix_seconds()); }}});
}

void Errands::collect(std::vector<metrics::Family>& out) const {
  reports_.collect(out, archive_ ? archive_->errors() : 0);
  forecasts_.collect(out);
  out.push_back({"nearzero_errand_errors_total",
                 "Reports and forecasts that were left out because of an exception.",
                 metrics::Type::counter,
                 {{{}, static_cast<double>(background_.errors()), nullptr}}});
}

}  // namespace nz::agent
