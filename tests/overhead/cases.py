"""The cases: a workload, who watches it, and what the issue promises about it."""

from dataclasses import dataclass, field

from observers import Nearzero, Nobody, Peer, Recorder


@dataclass
class Limit:
    """`what` of variant `ours` at most `bound`. Kinds: `added` (our added time / the peer's added time; ours to that
    of variant `over`, where that is one of ours with less),
    `total` (our time / bare time), `equal` (paired 95 % interval of our time / bare within +- bound)."""
    kind: str
    ours: str
    bound: float
    peer: str = ""
    over: str = "bare"


@dataclass
class Case:
    name: str
    command: list          # below tests/workloads
    metric: str            # key of the workload's JSON, ns per operation
    observers: dict        # variant -> factory
    limits: list = field(default_factory=list)
    scale: float = 1       # metric * scale = ns per event
    event: str = "event"
    cpu: int = 1           # pinned there; -1: not
    companion: list = field(default_factory=list)  # a second workload that stands still; @PID@ is its
    peer_command: list = field(default_factory=list)  # where peers slow it down too much for the same work


LIBSQLITE = "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0"


def target(comm, more):
    return "targets:\n  - name: bench\n    match: {" + comm + "}\n" + more


def bpftrace(program):
    return lambda: Peer("bpftrace", "-e", program)


def latency_program(probe, end):
    return (probe + " { @s[tid] = nsecs; } " + end +
            " /@s[tid]/ { @ns = hist(nsecs - @s[tid]); delete(@s[tid]); }")


# runqlat.bt of the bpftrace package, without its #include, which needs kernel headers.
RUNQLAT = ("tracepoint:sched:sched_wakeup, tracepoint:sched:sched_wakeup_new { @q[args->pid] = nsecs; } "
           "tracepoint:sched:sched_switch { if (args->prev_state == 0) { @q[args->prev_pid] = nsecs; } "
           "$ns = @q[args->next_pid]; if ($ns) { @usecs = hist((nsecs - $ns) / 1000); } "
           "delete(@q[args->next_pid]); }")


# biolatency.bt of the bpftrace package reads kernel functions; these are the tracepoints of libbpf-tools'.
BIOLATENCY = ("tracepoint:block:block_rq_issue { @s[args->dev, args->sector] = nsecs; } "
              "tracepoint:block:block_rq_complete /@s[args->dev, args->sector]/ "
              "{ @us = hist((nsecs - @s[args->dev, args->sector]) / 1000); delete(@s[args->dev, args->sector]); }")


def all_cases(agent, workloads):
    nz = lambda yaml, **kw: (lambda: Nearzero(agent, yaml, **kw))
    functions = f"{workloads}/nz-functions"
    cases = [Case(
        "context switch", ["nz-pingpong", "--count", "40000", "--cpu", "1"], "ns_per_round_trip",
        {"bare": Nobody, "nearzero": nz(target("comm: nz-pingpong", "")),
         "libbpf-tools": lambda: Peer("runqlat"), "bpftrace": bpftrace(RUNQLAT)},
        [Limit("added", "nearzero", 0.42, "libbpf-tools")], scale=0.5, event="switch", cpu=-1)]

    for mode, count in (("getppid", "1500000"), ("read", "1200000")):
        filters = "tracepoint:raw_syscalls:sys_enter /pid == @PID@/", "tracepoint:raw_syscalls:sys_exit"
        cases.append(Case(
            f"syscall {mode}", ["nz-syscalls", "--mode", mode, "--count", count], "ns_per_call",
            {"bare": Nobody,
             "nearzero": nz(target("pid: @PID@", "    syscalls: true\n")),
             "nearzero, not a target": nz(target("comm: nobody-has-this", "    syscalls: true\n")),
             "libbpf-tools": lambda: Peer("syscount", "-L", "-p", "@PID@"),
             "libbpf-tools, not a target": lambda: Peer("syscount", "-L", "-p", "@OTHER@"),
             "bpftrace": bpftrace(latency_program(*filters))},
            [Limit("added", "nearzero", 0.60, "libbpf-tools"),
             Limit("added", "nearzero, not a target", 0.75, "libbpf-tools, not a target")],
            event="syscall"))

    # One request after the other to a loop device in memory; the device's own threads run where they like. Each
    # request switches contexts, too: what the disk probe alone adds is the difference to an agent without it.
    cases.append(Case(
        "disk request", ["nz-disk", "--count", "60000"], "ns_per_read",
        {"bare": Nobody, "nearzero": nz("targets: []\n"),
         "nearzero, without disks": nz(target("comm: nobody-has-this", ""), host=False),
         "libbpf-tools": lambda: Peer("biolatency"), "bpftrace": bpftrace(BIOLATENCY)},
        [Limit("added", "nearzero", 1.0, "libbpf-tools", over="nearzero, without disks")], event="request", cpu=-1))

    # Two segments in and two reads a round trip. libbpf-tools' tcprtt needs kprobes or fentry, which not every
    # kernel has; the tracepoint says the same.
    for name, who in (("TCP segment and read", "comm: nz-tcp"), ("TCP segment and read of others", "comm: nobody-has-this")):
        cases.append(Case(
            name, ["nz-tcp", "--count", "200000"], "ns_per_round_trip",
            {"bare": Nobody, "nearzero": nz(target(who, "")),
             "bpftrace": bpftrace("tracepoint:tcp:tcp_probe { @us = hist(args->srtt >> 3); }")},
            [Limit("added", "nearzero", 1.0, "bpftrace")], scale=0.5, event="segment and read"))

    # Each read finds nothing. The workload makes 12,500 a second, half of what one online CPU may have before the agent
    # counts no more bytes (probes/tcp/idle_limit.h); no configuration lifts that limit. bpftrace has the same job there,
    # bytes by process, and leaves such a call at its filter. No case of others' calls: whose it is, is not looked up.
    cases.append(Case(
        "socket call that moves nothing", ["nz-tcp-poll", "--count", "50000", "--rate", "12500"], "ns_per_call",
        {"bare": Nobody, "nearzero": nz(target("comm: nz-tcp-poll", "")),
         "bpftrace": bpftrace("tracepoint:sock:sock_recv_length /args->ret > 0/ { @[pid] = sum(args->ret); }")},
        [Limit("added", "nearzero", 1.0, "bpftrace")], event="call"))

    # What ticks take from a program that reads the clock all the time: at 49 Hz nothing that could be measured,
    # so at a rate that is 100 times as high.
    hz = 4999
    profile = f"profile: {{hz: {hz}}}\n"
    stacks = f"profile:hz:{hz} /pid == @PID@/ {{ @[ustack, kstack] = count(); }}"
    cases.append(Case(
        "profile sample", ["nz-hot", "--gaps", "400", "--seconds", "3"], "taken_ns_per_second",
        {"bare": Nobody, "nearzero": nz(profile + target("pid: @PID@", "")),
         "nearzero, not a target": nz(profile + target("pid: @OTHER@", "")),
         "perf record": lambda: Recorder("perf", "record", "-q", "-e", "cpu-clock", "-F", str(hz), "-g", "-p", "@PID@",
                                         "-o", "/dev/null"),
         "bpftrace": bpftrace(stacks)},
        [Limit("added", "nearzero", 1.0, "bpftrace")], scale=1 / hz, event="sample"))

    # Behind `sub` the return address is no longer on top of the stack: a return probe has no cheaper site
    # than the first instruction there, and no promise. `from:`/`to:` has one.
    whole = "function: {name}, nothrow: true"
    between = "from: {name}, to: {name}"
    for entry, form, bound in (("push", whole, 0.85), ("endbr", whole, 0.20), ("mov_push", whole, 0.20),
                               ("sub_push", whole, None), ("sub_call", whole, None), ("sub_push", between, 0.20)):
        for threads in (1, 4):
            name = f"nz_entry_{entry}"
            # Several threads must run long enough for the scheduler to spread them evenly.
            count = (150000 if entry == "push" else 40000) * (1 if threads == 1 else 4)
            probe = f"uprobe:{functions}:{name} /pid == @PID@/", f"uretprobe:{functions}:{name}"
            stage = f"    stages: [{{name: f, {form.format(name=name)}}}]\n"
            limits = [Limit("added", "nearzero", bound, "libbpf-tools")] if bound else []
            cases.append(Case(
                f"function {entry}{' by from/to' if form is between else ''}, "
                f"{threads} thread{'s' if threads > 1 else ''}",
                ["nz-functions", "--call", name, "--count", str(count // threads), "--threads", str(threads)],
                "ns_per_call",
                {"bare": Nobody,
                 "nearzero": nz(target("pid: @PID@", stage)),
                 "libbpf-tools": lambda name=name: Peer("funclatency", "-p", "@PID@", f":{name}"),
                 "bpftrace": bpftrace(latency_program(*probe))},
                limits, event="call", cpu=1 if threads == 1 else -1))

    cases.append(Case(
        "function, process not targeted", ["nz-functions", "--call", "nz_entry_push", "--count", "200000000"],
        "ns_per_call",
        {"bare": Nobody,
         "nearzero": nz(target("pid: @PID@", "    stages: [{name: f, function: nz_entry_push, nothrow: true}]\n")),
         "libbpf-tools": lambda: Peer("funclatency", "-p", "@PID@", ":nz_entry_push")},
        [Limit("equal", "nearzero", 0.02)], event="call",
        companion=["nz-functions", "--call", "nz_entry_push", "--count", "1"]))

    step = f"uprobe:{LIBSQLITE}:sqlite3_step /pid == @PID@/", f"uretprobe:{LIBSQLITE}:sqlite3_step"
    sqlite = target("pid: @PID@", "    sqlite: true\n")
    lookups = ["nz-sqlite", "--mode", "lookup", "--one-transaction", "--count", "1500000"]
    inserts = ["nz-sqlite", "--mode", "insert", "--count", "25000"]
    scan_read = ["nz-sqlite", "--mode", "scan-read", "--count"]
    scans = ["nz-sqlite", "--mode", "scan", "--count"]
    # Long enough for nearzero to see that there are many rows to a statement, and to change its plan.
    for mode, command, peer_command, limit in (
            ("lookup", lookups, [], Limit("added", "nearzero", 1.0, "libbpf-tools")),
            ("insert", inserts, [], Limit("total", "nearzero", 1.10)),
            ("scan", scan_read + ["30000"], scan_read + ["1000"], Limit("total", "nearzero", 1.03)),
            ("scan, columns not read", scans + ["48000"], scans + ["1000"], Limit("total", "nearzero", 1.03))):
        cases.append(Case(
            f"SQLite {mode}", command, "ns_per_op",
            {"bare": Nobody, "nearzero": nz(sqlite),
             "libbpf-tools": lambda: Peer("funclatency", "-p", "@PID@", "sqlite3:sqlite3_step"),
             "bpftrace": bpftrace(latency_program(*step))},
            [limit], peer_command=peer_command, event=mode))

    # The log of slow statements on statements that are not slow: a comparison at the end of each. What it tells
    # is 20 a second at most. On lookups: an insert takes 100 us and varies by more than the log costs. No peer:
    # nobody else has one.
    slow = lambda value: nz(target("pid: @PID@", f"    sqlite: {{slow: {value}}}\n"))
    cases.append(Case(
        "SQLite lookup, slow-statement log", lookups, "ns_per_op",
        {"bare": Nobody, "nearzero": slow("10s"), "nearzero, without the log": slow("off")},
        [Limit("added", "nearzero", 1.05, "nearzero, without the log")], event="lookup"))
    return cases
