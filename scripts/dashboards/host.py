"""Use, saturation and errors of the host's resources, and what each target takes of them."""

from model import (BYTES, BYTES_PER_SECOND, CORES, COUNT, PER_SECOND, RATIO, SECONDS, Panel, Row, dashboard,
                   query)
from promql import INSTANCE, TARGET, gauge, quantile, rate, share

CPU = "nearzero_host_cpu_seconds_total"
MEMORY = "nearzero_host_memory_bytes"
FILES = "nearzero_filesystem_bytes"


def by_instance(family, label="", also="", legend=""):
    """Rate of a host's counter, kept apart by host and one more label."""
    by = "instance" + (", " + label if label else "")
    return query(rate(family, by, INSTANCE, also), legend or " ".join("{{%s}}" % b for b in by.split(", ")))


def level(family, label, also="", legend=""):
    return query(gauge(family, "instance, " + label, INSTANCE, also), legend or "{{instance}} {{%s}}" % label)


def of_target(family, label="", legend=""):
    return query(rate(family, "target" + (", " + label if label else "")),
                 legend or "{{target}}" + (" {{%s}}" % label if label else ""))


def cpu_rows():
    return [
        Row("CPU"),
        Panel("Use by mode", RATIO, "Share of all CPUs. steal: the hypervisor ran somebody else; softirq: "
              "network and timers.",
              query(share(rate(CPU, "instance, mode", INSTANCE, 'mode!="idle"'), rate(CPU, "instance", INSTANCE),
                          "instance"), "{{instance}} {{mode}}"), stack=True, width=8),
        Panel("Busiest CPU", RATIO, "One full CPU limits a service that is pinned to it, however idle the "
              "others are.",
              query("max by (instance) (1 - sum by (instance, cpu) (rate("
                    f'{CPU}{{{INSTANCE}, mode=~"idle|iowait"}}[$__rate_interval])))', "{{instance}}"),
              width=8, highest=1, limits=(0.8, 0.95)),
        Panel("Runnable threads and CPUs", COUNT, "More runnable threads than CPUs: somebody waits.",
              query(gauge("nearzero_host_runnable_threads", "instance", INSTANCE), "{{instance}} runnable"),
              query(gauge("nearzero_host_cpus", "instance", INSTANCE), "{{instance}} CPUs"), width=8),
        Panel("Interrupts and forks", PER_SECOND, "A fork storm or an interrupt storm takes CPU from no "
              "process in particular.",
              by_instance("nearzero_host_interrupts_total", legend="{{instance}} interrupts"),
              by_instance("nearzero_host_forks_total", legend="{{instance}} forks"), width=8),
        Panel("Soft interrupts", PER_SECOND, "By kind.", by_instance("nearzero_host_softirqs_total", "kind"),
              width=8),
        Panel("Pressure", RATIO, "Share of time in which some thread (or every: full) of the host stood still "
              "for want of the resource (PSI).",
              query(rate("nearzero_pressure_seconds_total", "instance, resource, kind", INSTANCE,
                         'scope="host"'), "{{instance}} {{resource}} {{kind}}"), width=8),
    ]


def memory_rows():
    return [
        Row("Memory"),
        Panel("Memory", BYTES, "available is what can be had without swapping.",
              level(MEMORY, "kind", 'kind!~"swap.*"'), width=8),
        Panel("Paging", PER_SECOND, "Major faults read the disk; allocstall and pgscan_direct make the "
              "allocating thread wait; oom_kill ends a process.",
              by_instance("nearzero_host_vm_events_total", "event", 'event!="pgfault"'), width=8),
        Panel("Swap used", BYTES, "Any at all on a trading host is a finding.",
              query(gauge(MEMORY, "instance", INSTANCE, 'kind="swap_total"') + " - "
                    + gauge(MEMORY, "instance", INSTANCE, 'kind="swap_free"'), "{{instance}}"), width=8),
        Panel("Reclaim stalls, p99", SECONDS, "A thread of the target that freed memory itself before it got "
              "any.", query(quantile(0.99, "nearzero_reclaim_stall_seconds", "target"), "{{target}}"), width=8),
        Panel("Open files", COUNT, "used against limit, of the host.",
              level("nearzero_host_open_files", "kind"), width=8),
        Panel("OOM kills", PER_SECOND, "Processes of the target that the kernel killed for want of memory.",
              of_target("nearzero_oom_kills_total"), width=8),
    ]


def disk_rows():
    return [
        Row("Disk"),
        Panel("I/O time, p99", SECONDS, "From issue to completion, in the device.",
              query(quantile(0.99, "nearzero_block_io_duration_seconds", "instance, device, op", INSTANCE),
                    "{{instance}} {{device}} {{op}}"), width=8),
        Panel("Wait in the I/O scheduler, p99", SECONDS, "From insertion to issue: the device or its limits "
              "are busy.",
              query(quantile(0.99, "nearzero_block_io_queue_seconds", "instance, device, op", INSTANCE),
                    "{{instance}} {{device}} {{op}}"), width=8),
        Panel("Busy", RATIO, "Share of time with I/O in flight. A device with many queues can be 100 % busy "
              "and far from full.",
              by_instance("nearzero_disk_busy_seconds_total", "device"), width=8, highest=1),
        Panel("Queue length", COUNT, "I/O in flight on average.",
              by_instance("nearzero_disk_queue_seconds_total", "device"), width=8),
        Panel("In flight now", COUNT, "At the last drain.", level("nearzero_disk_in_flight", "device"), width=8),
        Panel("Disk operations", PER_SECOND, "By device and kind.",
              query(rate("nearzero_disk_operations_total", "instance, device, op", INSTANCE),
                    "{{instance}} {{device}} {{op}}"), width=8),
        Panel("Disk throughput", BYTES_PER_SECOND, "By device and kind.",
              query(rate("nearzero_disk_bytes_total", "instance, device, op", INSTANCE),
                    "{{instance}} {{device}} {{op}}"), width=8),
        Panel("File systems: used", RATIO, "What is not available to the service.",
              query("1 - " + gauge(FILES, "instance, mount", INSTANCE, 'kind="available"', "max") + " / "
                    + gauge(FILES, "instance, mount", INSTANCE, 'kind="size"', "max"),
                    "{{instance}} {{mount}}"), width=8, highest=1, limits=(0.8, 0.95)),
        Panel("Inodes: used", RATIO, "A full inode table is a full disk.",
              query("1 - " + gauge("nearzero_filesystem_inodes", "instance, mount", INSTANCE,
                                   'kind="available"', "max") + " / "
                    + gauge("nearzero_filesystem_inodes", "instance, mount", INSTANCE, 'kind="size"', "max"),
                    "{{instance}} {{mount}}"), width=8, highest=1, limits=(0.8, 0.95)),
        Panel("I/O errors", PER_SECOND, "Requests that the device failed. Should be zero.",
              query(rate("nearzero_block_io_errors_total", "instance, device, op", INSTANCE),
                    "{{instance}} {{device}} {{op}}"), width=8),
    ]


def network_rows():
    kept_apart = "instance, interface, direction"
    legend = "{{instance}} {{interface}} {{direction}}"
    return [
        Row("Network"),
        Panel("Network throughput", BYTES_PER_SECOND, "By interface and direction.",
              query(rate("nearzero_network_bytes_total", kept_apart, INSTANCE), legend), width=8),
        Panel("Packets", PER_SECOND, "By interface and direction.",
              query(rate("nearzero_network_packets_total", kept_apart, INSTANCE), legend), width=8),
        Panel("Drops and errors", PER_SECOND, "Should be zero.",
              query(rate("nearzero_network_drops_total", kept_apart, INSTANCE), legend + " drops"),
              query(rate("nearzero_network_errors_total", kept_apart, INSTANCE), legend + " errors"), width=8),
        Panel("TCP events", PER_SECOND, "Of the whole host. listen_overflow: a service does not accept fast "
              "enough.",
              by_instance("nearzero_tcp_events_total", "event", 'event!~"segments_.*"'), width=8),
        Panel("TCP round trip, p99", SECONDS, "As the kernel measures it on the target's connections.",
              query(quantile(0.99, "nearzero_tcp_round_trip_seconds", "target"), "{{target}}"), width=8),
        Panel("TCP connect, p99", SECONDS, "From connect() to the answer.",
              query(quantile(0.99, "nearzero_tcp_connect_duration_seconds", "target"), "{{target}}"), width=8),
        Panel("TCP retransmits", PER_SECOND, "Each one costs an order at least 200 ms.",
              of_target("nearzero_tcp_retransmits_total"), width=8),
        Panel("TCP connects that failed", PER_SECOND, "Refused, timed out or given up.",
              of_target("nearzero_tcp_connect_failures_total"), width=8),
        Panel("Throughput of targets", BYTES_PER_SECOND, "Payload that send and receive calls moved.",
              of_target("nearzero_socket_bytes_total", "protocol, direction",
                        "{{target}} {{protocol}} {{direction}}"), width=8),
    ]


def target_rows():
    return [
        Row("Targets"),
        Panel("CPU of targets", CORES, "Cores in use by mode.", of_target("nearzero_target_cpu_seconds_total", "mode"),
              width=8, stack=True),
        Panel("Throttled", COUNT, "CPUs that the cgroup's quota took away: seconds per second, summed over "
              "the CPUs. Each throttled period stalls every thread for the rest of it.", of_target("nearzero_target_throttled_seconds_total"), width=8),
        Panel("CPU quota", CORES, "Cores that the cgroup may use, where it has a quota, and periods per second "
              "in which it was used up.",
              query(gauge("nearzero_target_cpu_quota_cores", "target"), "{{target}} cores"),
              of_target("nearzero_target_throttled_periods_total", legend="{{target}} throttled periods/s"),
              width=8),
        Panel("Memory of targets", BYTES, "resident, swap, and the limit.",
              query(gauge("nearzero_target_memory_bytes", "target, kind"), "{{target}} {{kind}}"), width=8),
        Panel("Page faults", PER_SECOND, "major: from the disk.",
              of_target("nearzero_target_page_faults_total", "kind"), width=8),
        Panel("Pressure of targets", RATIO, "Share of time in which some or all threads of the target's cgroup stood still.",
              query("sum by (instance, scope, resource, kind) (rate(nearzero_pressure_seconds_total{"
                    f'{INSTANCE}, scope=~"$target", scope!="host"}}[$__rate_interval]))',
                    "{{scope}} {{resource}} {{kind}}"), width=8),
        Panel("Threads of targets", COUNT, "Rises without falling: threads leak.",
              query(gauge("nearzero_target_threads", "target"), "{{target}}"), width=8),
        Panel("Open files of targets: used", RATIO, "At 1, accept() and open() fail.",
              query(gauge("nearzero_target_open_files", "target", also='kind="used"', how="max") + " / "
                    + gauge("nearzero_target_open_files", "target", also='kind="limit"', how="max"),
                    "{{target}}"), width=8, limits=(0.8, 0.95)),
        Panel("I/O of targets", BYTES_PER_SECOND, "Bytes that reached the block layer.",
              of_target("nearzero_target_io_bytes_total", "direction"), width=8),
    ]


def make():
    return dashboard(
        "nearzero-host", "Host",
        "Use, saturation and errors of CPU, memory, disk and network, for the host and for each target.",
        cpu_rows() + memory_rows() + disk_rows() + network_rows() + target_rows())
