#include "userspace/loader/object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <nearzero.skel.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>

#include "analysis/histogram.h"
#include "nearzero/block.h"
#include "nearzero/tcp.h"
#include "userspace/loader/cpu_clock.h"
#include "userspace/loader/uprobe_link.h"

namespace nz::loader {
namespace {

thread_local std::string* verifier_text = nullptr;

// libbpf reports why a program was refused only through its log.
int collect_log(libbpf_print_level level, const char* format, va_list args) {
  if (verifier_text == nullptr || level == LIBBPF_DEBUG) return 0;
  char* text = nullptr;
  const int length = vasprintf(&text, format, args);
  if (length < 0) return 0;
  // The verdict stands at the end of a log of up to 16 MB.
  constexpr int kTail = 16384;
  *verifier_text += length > kTail ? text + length - kTail : text;
  if (const char* file = std::getenv("NEARZERO_VERIFIER_LOG"))
    std::ofstream(file, std::ios::app) << text;
  std::free(text);
  return 0;
}

// The last line of the verifier's log before its statistics: the reason, in the kernel's words.
std::string verdict(const std::string& log) {
  std::string best;
  size_t at = 0;
  while (at < log.size()) {
    const size_t end = std::min(log.find('\n', at), log.size());
    const std::string line = log.substr(at, end - at);
    at = end + 1;
    if (line.empty() || line.rfind("processed ", 0) == 0 || line.rfind("-- ", 0) == 0 ||
        line.rfind("libbpf:", 0) == 0 || line.rfind("max_states", 0) == 0) {
      continue;
    }
    best = line;
  }
  return best.empty() ? log.substr(0, 200) : best;
}

// What the section of a program says; nothing if it is no uprobe.
std::optional<UprobeKind> uprobe_kind(std::string_view section) {
  if (section.starts_with("uprobe.session")) return UprobeKind::session;
  if (section.starts_with("uretprobe.multi")) return UprobeKind::function_return;
  if (section.starts_with("uprobe.multi")) return UprobeKind::entry;
  return std::nullopt;
}

}  // namespace

struct Object::Impl {
  nearzero_bpf* skeleton = nullptr;
  Features features;
  Layout layout;
  std::map<std::string, std::string> refused;
  mutable std::map<std::string, std::pair<void*, size_t>> maps;

  ~Impl() {
    for (auto& [name, memory] : maps) munmap(memory.first, memory.second);
    if (skeleton != nullptr) nearzero_bpf__destroy(skeleton);
  }
};

Object::Object(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Object::~Object() = default;

namespace {

void size_maps(nearzero_bpf* s, const Layout& l) {
  bpf_map__set_max_entries(s->maps.nz_hists, l.cpus * l.series());
  bpf_map__set_max_entries(s->maps.nz_tasks, l.task_entries);
  bpf_map__set_max_entries(s->maps.nz_cpus, l.cpus);
  bpf_map__set_max_entries(s->maps.nz_counts, l.cpus);
  bpf_map__set_max_entries(s->maps.nz_blocked_in, l.cpus * NZ_SLOTS * NZ_NR_SYSCALLS);
  bpf_map__set_max_entries(s->maps.nz_syscall_errors, l.cpus * l.max_syscalls);
  bpf_map__set_max_entries(s->maps.nz_site_hits, l.cpus * NZ_MAX_SITES);
  bpf_map__set_max_entries(s->maps.nz_stages, l.cpus * l.max_stages);
  bpf_map__set_max_entries(s->maps.nz_sqlite, l.cpus * NZ_SLOTS);
  bpf_map__set_max_entries(s->maps.nz_statement_counts, l.cpus * l.max_statements);
  bpf_map__set_max_entries(s->maps.nz_block_hists, l.shards() * NZ_BLOCK_SERIES);
  bpf_map__set_max_entries(s->maps.nz_tcp_hists, l.shards() * NZ_SLOTS * NZ_TCP_HISTS);
  bpf_map__set_max_entries(s->maps.nz_profile_rows, 2 * l.profile_rows());
  bpf_map__set_max_entries(s->maps.nz_profile_stacks, 2 * l.profile_rows());
}

void set_read_only_data(nearzero_bpf* s, const Layout& l) {
  nz_config& c = s->rodata->nz_config;
  c.task_mask = l.task_entries - 1;
  c.cpus = l.cpus;
  c.series = l.series();
  c.series_stage = l.stage_base();
  c.series_sqlite_wait = l.sqlite_wait_base();
  c.series_statement = l.statement_base();
  c.series_syscall = l.syscall_base();
  c.max_stages = l.max_stages;
  c.max_statements = l.max_statements;
  c.max_syscalls = l.max_syscalls;
  c.host = l.host ? 1 : 0;
  s->rodata->nz_shard_mask = l.shards() - 1;
  s->rodata->nz_profile_mask = l.profile_rows() - 1;
  for (size_t i = 0; i < NZ_BUCKETS; i++) {
    s->rodata->nz_bound_ns[i] = analysis::upper_bound_ns(i);
  }
}

enum class Asked { yes, no, not_of_the_agent };

Asked asked_for(const Object::Options& options, const std::string& name) {
  const auto names = [&name](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  if (names(options.without)) return Asked::no;
  if (!options.only.empty()) return names(options.only) ? Asked::yes : Asked::no;
  return name.starts_with("nz_trace_") ? Asked::not_of_the_agent : Asked::yes;
}

// Kernel memory that only one of both uses has one element for the other: the agent, or tracing.
void size_trace_maps(nearzero_bpf* s, const Object::Options& options) {
  s->rodata->nz_trace = options.trace;
  if (options.trace.on == 0) return;
  constexpr uint32_t kCallsAtATime = 16384;
  const Layout& l = options.layout;
  for (bpf_map* agents : {s->maps.nz_hists, s->maps.nz_block_hists, s->maps.nz_block_requests,
                          s->maps.nz_tcp_hists, s->maps.nz_tcp_sockets, s->maps.nz_reclaim_hists,
                          s->maps.nz_profile_rows, s->maps.nz_profile_stacks})
    bpf_map__set_max_entries(agents, 1);
  // An interval's keys are read while those of the next are being made.
  bpf_map__set_max_entries(s->maps.nz_keyed, 2 * l.cpus * options.trace.keys);
  bpf_map__set_max_entries(s->maps.nz_off_cpus, l.task_entries);
  bpf_map__set_max_entries(s->maps.nz_calls, kCallsAtATime);
  bpf_map__set_max_entries(s->maps.nz_call_counts, l.cpus * NZ_MAX_CALL_KINDS);
}

// Types that libbpf 1.1 does not know by section name, and programs that cannot load here at all.
void choose_programs(nearzero_bpf* s, const Object::Options& options, const Features& f,
                     std::map<std::string, std::string>& refused) {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, s->obj) {
    const std::string name = bpf_program__name(program);
    const auto uprobe = uprobe_kind(bpf_program__section_name(program));
    const bool session = uprobe == UprobeKind::session;
    if (uprobe) {
      bpf_program__set_type(program, BPF_PROG_TYPE_KPROBE);
      bpf_program__set_expected_attach_type(
          program, static_cast<bpf_attach_type>(session ? kTraceUprobeSession : kTraceUprobeMulti));
    }
    const Feature& needed = session ? f.uprobe_session : uprobe ? f.uprobe_multi : f.btf;
    if (!needed.available) refused.emplace(name, needed.reason);
    const Asked asked = asked_for(options, name);
    if (asked == Asked::no) refused.emplace(name, "not asked for");
    if (asked != Asked::yes || refused.contains(name)) bpf_program__set_autoload(program, false);
  }
}

// The program that libbpf gave up on: the first whose "failed to load" stands in the log.
std::string failed_program(const std::string& log) {
  const std::string marker = "': failed to load";
  const size_t end = log.find(marker);
  if (end == std::string::npos) return {};
  const size_t start = log.rfind("prog '", end);
  return start == std::string::npos ? std::string{} : log.substr(start + 6, end - start - 6);
}

}  // namespace

Result<std::unique_ptr<Object>> Object::load(const Options& options) {
  auto impl = std::make_unique<Impl>();
  impl->layout = options.layout;
  libbpf_set_print(collect_log);
  impl->features = detect_features(options.btf_path);
  if (!impl->features.privilege.available) {
    return fail("no privilege to load BPF programs", impl->features.privilege.reason, EPERM);
  }
  if (!impl->features.btf.available) {
    return fail("this kernel cannot be observed", impl->features.btf.reason, ENOENT);
  }
  std::string log;
  verifier_text = &log;

  // One program after the other may be refused: each round leaves one more out.
  for (;;) {
    log.clear();
    impl->skeleton = nearzero_bpf__open();
    if (impl->skeleton == nullptr) {
      verifier_text = nullptr;
      return fail_errno("open the BPF object: " + log, errno, "this is a bug in nearzero");
    }
    size_maps(impl->skeleton, options.layout);
    set_read_only_data(impl->skeleton, options.layout);
    size_trace_maps(impl->skeleton, options);
    choose_programs(impl->skeleton, options, impl->features, impl->refused);
    const int error = nearzero_bpf__load(impl->skeleton);
    if (error == 0) break;
    nearzero_bpf__destroy(impl->skeleton);
    impl->skeleton = nullptr;
    const std::string program = failed_program(log);
    if (program.empty() || impl->refused.contains(program)) {
      verifier_text = nullptr;
      return fail_errno(
          "load the BPF programs: " + verdict(log), -error,
          error == -ENOMEM ? "lower limits.* in the configuration" : "see `nearzero check`");
    }
    impl->refused.emplace(program, verdict(log));
  }
  verifier_text = nullptr;
  return std::unique_ptr<Object>(new Object(std::move(impl)));
}

const std::map<std::string, std::string>& Object::refused() const { return impl_->refused; }
const Features& Object::features() const { return impl_->features; }
const Layout& Object::layout() const { return impl_->layout; }

int Object::program_fd(const std::string& program) const {
  bpf_program* p = bpf_object__find_program_by_name(impl_->skeleton->obj, program.c_str());
  return p == nullptr ? -1 : bpf_program__fd(p);
}

int Object::map_fd(const std::string& map) const {
  return bpf_object__find_map_fd_by_name(impl_->skeleton->obj, map.c_str());
}

Result<Fd> Object::attach_tracing(const std::string& program) {
  const auto refused = impl_->refused.find(program);
  if (refused != impl_->refused.end()) return fail(program + " is not loaded", refused->second);
  // Since 5.8 a tracing program's raw-tracepoint descriptor is a link (commit 70ed506c3bbc).
  const int fd = bpf_raw_tracepoint_open(nullptr, program_fd(program));
  if (fd < 0) return fail_errno("attach " + program, -fd);
  return Fd(fd);
}

Result<Fd> Object::attach_cpu_clock(const std::string& program, uint32_t cpu, uint64_t period_ns) {
  const auto refused = impl_->refused.find(program);
  if (refused != impl_->refused.end()) return fail(program + " is not loaded", refused->second);
  return open_cpu_clock(program_fd(program), cpu, period_ns);
}

Result<Fd> Object::attach_uprobes(const std::string& program, const std::string& path, pid_t pid,
                                  std::span<const UprobeSite> sites) {
  const auto refused = impl_->refused.find(program);
  if (refused != impl_->refused.end()) return fail(program + " is not loaded", refused->second);
  bpf_program* p = bpf_object__find_program_by_name(impl_->skeleton->obj, program.c_str());
  if (p == nullptr) return fail("no program " + program, "this is a bug in nearzero");
  const auto kind = uprobe_kind(bpf_program__section_name(p));
  if (!kind) return fail(program + " is no uprobe program", "this is a bug in nearzero");
  return create_uprobe_link(bpf_program__fd(p), *kind, path, pid, sites);
}

void Object::run(const std::string& program) {
  const int fd = program_fd(program);
  LIBBPF_OPTS(bpf_test_run_opts, options);
  if (fd >= 0) bpf_prog_test_run_opts(fd, &options);
}

namespace {

std::pair<void*, size_t> map_memory(const bpf_object* object, const std::string& name) {
  bpf_map* map = bpf_object__find_map_by_name(object, name.c_str());
  if (map == nullptr) return {nullptr, 0};
  const size_t stride = (bpf_map__value_size(map) + 7U) & ~7U;
  const size_t bytes = stride * bpf_map__max_entries(map);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
  if (memory == MAP_FAILED) return {nullptr, 0};
  return {memory, bytes};
}

}  // namespace

std::pair<void*, size_t> Object::mapped(const std::string& name) const {
  const auto found = impl_->maps.find(name);
  if (found != impl_->maps.end()) return found->second;
  const auto fresh = map_memory(impl_->skeleton->obj, name);
  if (fresh.first != nullptr) impl_->maps[name] = fresh;
  return fresh;
}

void Object::clear(const std::string& map) {
  const auto [memory, bytes] = map_memory(impl_->skeleton->obj, map);
  if (memory == nullptr) return;
  std::memset(memory, 0, bytes);
  munmap(memory, bytes);
}

nz_control& Object::control() const { return impl_->skeleton->data->nz_control; }

Result<void> Object::set_target(uint32_t tgid, uint32_t slot) {
  const int fd = bpf_map__fd(impl_->skeleton->maps.nz_targets);
  if (bpf_map_update_elem(fd, &tgid, &slot, BPF_ANY) != 0) {
    const int error = errno;
    if (error == E2BIG) {
      __atomic_fetch_add(&array<nz_counters>("nz_counts")[0].drops[NZ_DROP_TARGETS_FULL], 1,
                         __ATOMIC_RELAXED);
    }
    return fail_errno("remember process " + std::to_string(tgid) + " as a target", error,
                      "more than 4,096 target processes: match fewer");
  }
  __atomic_fetch_add(&control().generation, 1, __ATOMIC_RELEASE);
  return {};
}

void Object::remove_target(uint32_t tgid) {
  bpf_map_delete_elem(bpf_map__fd(impl_->skeleton->maps.nz_targets), &tgid);
  __atomic_fetch_add(&control().generation, 1, __ATOMIC_RELEASE);
}

std::vector<std::pair<uint32_t, uint32_t>> Object::targets() const {
  const int fd = bpf_map__fd(impl_->skeleton->maps.nz_targets);
  std::vector<std::pair<uint32_t, uint32_t>> result;
  uint32_t tgid = 0;
  uint32_t next = 0;
  const void* previous = nullptr;
  while (bpf_map_get_next_key(fd, previous, &next) == 0) {
    uint32_t slot = 0;
    if (bpf_map_lookup_elem(fd, &next, &slot) == 0) result.emplace_back(next, slot);
    tgid = next;
    previous = &tgid;
  }
  return result;
}

std::map<std::string, uint64_t> Object::missed() const {
  std::map<std::string, uint64_t> result;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, impl_->skeleton->obj) {
    const int fd = bpf_program__fd(program);
    if (fd < 0) continue;
    bpf_prog_info info{};
    __u32 size = sizeof(info);
    if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.recursion_misses != 0)
      result[bpf_program__name(program)] = info.recursion_misses;
  }
  return result;
}

uint64_t Object::map_bytes() const {
  uint64_t total = 0;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, impl_->skeleton->obj) {
    // The kernel's own account (fdinfo) includes per-element overhead.
    std::ifstream info("/proc/self/fdinfo/" + std::to_string(bpf_map__fd(map)));
    std::string key;
    while (info >> key) {
      uint64_t value = 0;
      if (key == "memlock:" && info >> value) {
        total += value;
        break;
      }
    }
  }
  return total;
}

uint32_t possible_cpus() { return static_cast<uint32_t>(std::max(1, libbpf_num_possible_cpus())); }

uint32_t task_entries() {
  std::ifstream file("/proc/sys/kernel/pid_max");
  uint32_t pid_max = 32768;
  file >> pid_max;
  uint32_t entries = 4096;
  while (entries < pid_max && entries < 32768) entries *= 2;
  return entries;
}

}  // namespace nz::loader
