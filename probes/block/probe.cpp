// Disk I/O by device and operation: how long a request took from the moment it was sent to the
// device, how long it had stood in the I/O scheduler's queue before, and errors.
#include <map>

#include "nearzero/block.h"
#include "probes/block_names.h"
#include "probes/probe.h"
#include "probes/tracing_links.h"

namespace nz::probes {
namespace {

class Block final : public Probe {
 public:
  explicit Block(const Env& env)
      : Probe(env),
        hists_(env.object.array<nz_hist>("nz_block_hists")),
        counts_(env.object.array<nz_block_stats>("nz_block_counts")),
        devices_(env.object.array<nz_block_devices>("nz_block_devices")),
        links_(env.object) {
    env.drain.follow(hists_);
  }

  [[nodiscard]] std::string name() const override { return "block"; }

  void start() override {
    if (!env_.drain.layout().host || tripped_) return;
    if (links_.none()) {
      env_.object.clear("nz_block_requests");  // ends that nobody saw meanwhile
      know_devices();
    }
    // Ends first: what is sent while the programs come up is either whole or known as begun unseen.
    links_.attach({"nz_block_complete", "nz_block_merge", "nz_block_issue", "nz_block_insert"});
  }

  void stop() override {
    links_.close();
    tripped_ = false;
  }

  void trip(uint32_t slot) override {
    if (slot != 0) return;
    links_.close();
    tripped_ = true;
  }

  void tick() override {
    for (uint32_t d = 1; d < NZ_BLOCK_DEVICES; d++) {
      // Its name is gone with it, its counts stay.
      const uint64_t number = number_of(d);
      if (number != 0 && !names_.contains(number))
        names_.emplace(number, block_device_name(number - 1));
    }
  }

  void collect(std::vector<metrics::Family>& out) const override {
    if (!env_.drain.layout().host) return;
    metrics::Family duration{"nearzero_block_io_duration_seconds",
                             "Time of a request at the device in seconds, from sent to complete.",
                             metrics::Type::histogram,
                             {}};
    metrics::Family queue{
        "nearzero_block_io_queue_seconds",
        "Time of a request in the I/O scheduler's queue in seconds, before it was sent.",
        metrics::Type::histogram,
        {}};
    metrics::Family errors{"nearzero_block_io_errors_total",
                           "Requests that the device completed with an error.",
                           metrics::Type::counter,
                           {}};
    const nz_block_stats stats = sums();
    for (uint32_t device = 0; device < NZ_BLOCK_DEVICES; device++) {
      for (uint32_t op = 0; op < NZ_BLOCK_OPS; op++) {
        auto sent = histogram(NZ_BLOCK_SERIES_OF(device, 0, op));
        auto queued = histogram(NZ_BLOCK_SERIES_OF(device, 1, op));
        const uint64_t failed = stats.errors[device * NZ_BLOCK_OPS + op];
        if (!sent && !queued && failed == 0) continue;
        const metrics::Labels labels{{"device", device_name(device)}, {"op", block_op_name(op)}};
        if (sent) duration.samples.push_back({labels, 0, std::move(sent)});
        if (queued) queue.samples.push_back({labels, 0, std::move(queued)});
        errors.samples.push_back({labels, static_cast<double>(failed), nullptr});
      }
    }
    metrics::Family incomplete{"nearzero_block_io_incomplete_total",
                               "Requests that lack something, by cause.",
                               metrics::Type::counter,
                               {}};
    for (const auto& [cause, n] : std::initializer_list<std::pair<const char*, uint64_t>>{
             {"began_before_attach", stats.start_unseen},
             {"too_many_at_a_time", stats.no_room},
             {"recorded_under_device_other", stats.other_devices}}) {
      incomplete.samples.push_back({{{"cause", cause}}, static_cast<double>(n), nullptr});
    }
    out.push_back(std::move(duration));
    out.push_back(std::move(queue));
    out.push_back(std::move(errors));
    out.push_back(std::move(incomplete));
  }

  [[nodiscard]] std::vector<Cost> costs() const override {
    if (!env_.drain.layout().host) return {};
    uint64_t sent = 0;
    for (uint32_t device = 0; device < NZ_BLOCK_DEVICES; device++) {
      for (uint32_t op = 0; op < NZ_BLOCK_OPS; op++)
        sent += drain::Drain::count(hists_, NZ_BLOCK_SERIES, NZ_BLOCK_SERIES_OF(device, 0, op));
    }
    // What stood in a queue has one hit of three more: counted as if it were two more.
    return {{0, HitKind::block_request, sent + sums().queued}};
  }

  [[nodiscard]] std::vector<Status> status() const override {
    if (!env_.drain.layout().host) return {};
    const bool on = links_.contains("nz_block_issue") && links_.contains("nz_block_complete");
    const std::string text = on         ? "requests to disks, sent to complete"
                             : tripped_ ? "tripped: over budget"
                                        : "off";
    return {{name(), "host", 0, on, text + links_.failures()}};
  }

 private:
  // So that disks are named before loop devices, of which some hosts have dozens, take all places.
  void know_devices() {
    if (devices_.empty()) return;
    uint32_t next = 1;
    for (const uint64_t number : block_devices()) {
      if (next == NZ_BLOCK_DEVICES || devices_[0].number[next] != 0) break;
      devices_[0].number[next++] = number + 1;
    }
  }

  [[nodiscard]] uint64_t number_of(uint32_t device) const {
    return devices_.empty() ? 0 : devices_[0].number[device];
  }

  [[nodiscard]] std::string device_name(uint32_t device) const {
    const uint64_t number = number_of(device);
    if (device == 0 || number == 0) return "other";
    const auto known = names_.find(number);
    return known != names_.end() ? known->second : block_device_name(number - 1);
  }

  [[nodiscard]] std::shared_ptr<const analysis::Histogram> histogram(uint32_t series) const {
    return env_.drain.histogram(hists_, NZ_BLOCK_SERIES, series);
  }

  [[nodiscard]] nz_block_stats sums() const {
    return drain::Drain::sum_shards<nz_block_stats>(counts_, 1, 0);
  }

  std::span<nz_hist> hists_;
  std::span<const nz_block_stats> counts_;
  std::span<nz_block_devices> devices_;
  std::map<uint64_t, std::string> names_;  // by number + 1
  TracingLinks links_;
  bool tripped_ = false;
};

}  // namespace

std::unique_ptr<Probe> make_block(const Env& env) { return std::make_unique<Block>(env); }

}  // namespace nz::probes
