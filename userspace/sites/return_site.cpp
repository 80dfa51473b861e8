#include "userspace/sites/return_site.h"

#include <algorithm>
#include <set>

#include "userspace/sites/function_code.h"

namespace nz::sites {
namespace {

void add_caveat(std::string& caveat, const std::string& text) {
  if (caveat.find(text) != std::string::npos) return;
  if (!caveat.empty()) caveat += "; ";
  caveat += text;
}

/// Why a return probe must not be used here; empty when it may.
std::string return_probe_objection(const Binary& binary, const ReturnPolicy& policy) {
  const Traits& traits = binary.traits();
  if (policy.shadow_stack)
    return "the target has a shadow stack, and a return probe changes the return address";
  if (traits.stack_switching || policy.process_switches_stacks)
    return "the target switches stacks (fibers, swapcontext), where return probes lose or mix up "
           "return addresses";
  if (traits.cxx_unwinder && !policy.nothrow)
    return "binary has a C++ unwinder: an exception that passes a return probe ends the process";
  if (policy.prefer_exit_instructions) return "exit instructions were asked for";
  return {};
}

struct Part {
  const std::vector<uint8_t>& bytes;
  const Sweep& sweep;
  int64_t base;  ///< of the part, from the function's start
};

/// One pass over the body or the cold part of a function.
class ExitScan {
 public:
  ExitScan(const Binary& binary, const Symbol& symbol, const FunctionCode& code,
           const KernelTraits& kernel)
      : binary_(binary), symbol_(symbol), code_(code), kernel_(kernel) {
    // Leaf functions and thunks never move the stack pointer: their indirect jumps can be tail
    // calls.
    for (const Instruction& i : code.sweep.instructions)
      if (i.kind == Kind::push || (i.sp_delta && *i.sp_delta != 0) || !i.sp_delta)
        if (i.kind != Kind::ret) frameless_ = false;
  }

  /// Error text, empty when the part was understood.
  std::string scan(const Part& part) {
    if (part.sweep.undecodable)
      return "bytes at +" +
             std::to_string(part.base + static_cast<int64_t>(*part.sweep.undecodable)) +
             " are no instruction (data between code?)";
    std::set<int64_t> boundaries;
    for (const Instruction& i : part.sweep.instructions)
      boundaries.insert(part.base + static_cast<int64_t>(i.offset));
    const std::vector<Instruction>& list = part.sweep.instructions;
    for (size_t n = 0; n < list.size(); ++n) {
      const Instruction& i = list[n];
      if (i.target && i.kind != Kind::call) {
        const int64_t target = part.base + *i.target;
        const auto length = static_cast<int64_t>(part.bytes.size());
        if (target >= part.base && target < part.base + length && !boundaries.contains(target))
          return "a branch leads into the middle of an instruction: code and data are mixed";
      }
      visit(part, list, n);
    }
    return {};
  }

  ExitInstructions result;
  std::string caveat;

 private:
  [[nodiscard]] bool inside(int64_t target) const {
    if (target >= 0 && target < static_cast<int64_t>(code_.bytes.size())) return true;
    if (!code_.cold) return false;
    const auto base = static_cast<int64_t>(code_.cold->address - symbol_.address);
    return target >= base && target < base + static_cast<int64_t>(code_.cold_bytes.size());
  }

  void add(const Part& part, const Instruction& i, ExitKind kind) {
    const int64_t into = part.base + static_cast<int64_t>(i.offset);
    const auto offset = binary_.file_offset(symbol_.address + static_cast<uint64_t>(into));
    if (i.refused_by_kernel || !offset) {
      incomplete("the kernel refuses a probe on " +
                 disassemble(part.bytes, i.offset, symbol_.address + static_cast<uint64_t>(into)));
      return;
    }
    result.exits.push_back(
        {*offset, into, kind, emulated(i, kernel_) ? Cost::emulated : Cost::single_step});
  }

  void incomplete(const std::string& text) {
    result.maybe_incomplete = true;
    add_caveat(caveat, text);
  }

  void visit(const Part& part, const std::vector<Instruction>& list, size_t n) {
    const Instruction& i = list[n];
    const Instruction* previous = n == 0 ? nullptr : &list[n - 1];
    const std::string where = "+" + std::to_string(part.base + static_cast<int64_t>(i.offset));
    switch (i.kind) {
      case Kind::ret:
        add(part, i, ExitKind::ret);
        break;
      case Kind::jump: {
        if (inside(part.base + *i.target)) break;
        add(part, i, ExitKind::tail_jump);
        const auto target = symbol_.address + static_cast<uint64_t>(part.base + *i.target);
        if (!binary_.function_at(target) && !binary_.in_plt(target))
          add_caveat(caveat, "the jump at " + where +
                                 " leads to no known function's start; taken as a tail call");
        break;
      }
      case Kind::conditional_jump:
      case Kind::other_branch:
        // Probing it would report every pass, taken or not.
        if (!inside(part.base + *i.target))
          incomplete("the conditional tail jump at " + where + " is not probed");
        break;
      case Kind::indirect_jump:
        if (i.table_jump || after_table_load(list, n)) {
          add_caveat(caveat, "has a switch table, whose targets are taken to lie inside");
        } else if (i.got_jump || frameless_ || after_epilogue(previous)) {
          add(part, i, ExitKind::tail_jump);
          if (!i.got_jump)
            add_caveat(caveat, "the indirect jump at " + where + " is taken as a tail call");
        } else {
          incomplete("the indirect jump at " + where +
                     " may be a switch or a tail call; it is not probed");
        }
        break;
      default:
        break;
    }
  }

  /// Compilers tear the frame down immediately before a tail call, never before a switch.
  static bool after_epilogue(const Instruction* previous) {
    return previous != nullptr && previous->sp_delta && *previous->sp_delta > 0;
  }

  /// Position-independent switches: movslq (table,index,4), add, jmp through a register.
  static bool after_table_load(const std::vector<Instruction>& list, size_t n) {
    for (size_t back = 1; back <= 8 && back <= n; ++back)
      if (list[n - back].table_load) return true;
    return false;
  }

  const Binary& binary_;
  const Symbol& symbol_;
  const FunctionCode& code_;
  const KernelTraits& kernel_;
  bool frameless_ = true;
};

Result<ReturnPlan> by_exit_instructions(const Binary& binary, const Symbol& symbol,
                                        const std::string& why, const KernelTraits& kernel) {
  const std::string remedy = "time it to another function's entry with from: and to:";
  const Result<FunctionCode> code = read_function(binary, symbol);
  if (!code) return tl::unexpected(code.error());
  if (!code->size_known)
    return fail(symbol.name + ": no return probe (" + why +
                    "), and its exits cannot be found: the symbol table does not give its size",
                remedy);
  ExitScan scan(binary, symbol, *code, kernel);
  std::string problem = scan.scan({code->bytes, code->sweep, 0});
  if (problem.empty() && code->cold)
    problem = scan.scan({code->cold_bytes, code->cold_sweep,
                         static_cast<int64_t>(code->cold->address - symbol.address)});
  if (problem.empty() && scan.result.exits.empty())
    problem = scan.caveat.empty() ? "it has no exit; it never returns" : scan.caveat;
  if (!problem.empty())
    return fail(
        symbol.name + ": no return probe (" + why + "), and its exits cannot be found: " + problem,
        remedy);
  std::sort(scan.result.exits.begin(), scan.result.exits.end(),
            [](const ExitInstruction& a, const ExitInstruction& b) { return a.offset < b.offset; });
  ReturnPlan plan;
  plan.caveat = scan.caveat;
  if (binary.traits().cxx_unwinder)
    add_caveat(plan.caveat, "a call that ends by an exception is not reported");
  plan.how = std::move(scan.result);
  plan.why = why;
  return plan;
}

}  // namespace

Result<ReturnPlan> choose_return(const Binary& binary, const Symbol& symbol,
                                 const ReturnPolicy& policy, const KernelTraits& kernel) {
  if (binary.traits().go)
    return fail(binary.path() +
                    " is a Go binary: the runtime moves stacks while functions run, so "
                    "the end of " +
                    symbol.name + " cannot be probed without crashing or mixing up calls",
                "time it to another function's entry with from: and to:");
  const std::string objection = return_probe_objection(binary, policy);
  if (!objection.empty()) return by_exit_instructions(binary, symbol, objection, kernel);

  Need need;
  need.arguments = policy.arguments;
  need.stack_pointer_at_entry = true;
  Result<EntrySite> entry = choose_entry(binary, symbol, need, kernel);
  if (!entry) return tl::unexpected(entry.error());
  ReturnPlan plan;
  plan.why = binary.traits().cxx_unwinder ? "no exception passes it (nothrow)"
                                          : "binary has no C++ unwinder";
  if (binary.traits().longjmp)
    add_caveat(plan.caveat, "the binary uses longjmp: a return that it skips is not reported");
  if (!entry->caveat.empty()) add_caveat(plan.caveat, entry->caveat);
  plan.how = ReturnProbe{std::move(*entry)};
  return plan;
}

}  // namespace nz::sites
