"""Statements, waits and connections of SQLite inside the targets."""

from model import BYTES, COUNT, PER_SECOND, RATIO, SECONDS, Panel, Row, dashboard, query
from promql import (TARGET, gauge, heatmap, histogram_rate, histogram_seconds, mean, per_observed_second,
                    quantile, rate, share, top)

INSIDE, OPEN = "nearzero_sqlite_statement_duration_seconds", "nearzero_sqlite_statement_open_seconds"
WAIT = "nearzero_sqlite_wait_seconds"
BY = "target, digest, statement"
LEGEND = "{{statement}}"


def make():
    return dashboard(
        "nearzero-sqlite", "SQLite",
        "What each statement costs, what it waits for, and how many run.",
        [
            Row("Statements"),
            Panel("Time inside SQLite, p99", SECONDS, "The ten slowest statements, literals normalised. The "
                  "caller's work between rows is not in it.",
                  query(top(10, quantile(0.99, INSIDE, BY)), LEGEND)),
            Panel("Most time in total", COUNT, "Seconds inside SQLite per second: the statement to improve "
                  "first is on top, slow or not.",
                  query(top(10, histogram_seconds(INSIDE, BY)), LEGEND), stack=True),
            Panel("Statements per second", PER_SECOND, "Corrected for a probe that rests for part of the time.",
                  query(top(10, per_observed_second("nearzero_sqlite_statements_total", "sqlite", BY)), LEGEND)),
            Panel("Start to end, p99", SECONDS, "With the caller's work between rows: how long a read keeps "
                  "its snapshot, and the WAL, pinned.",
                  query(top(10, quantile(0.99, OPEN, BY)), LEGEND)),
            Panel("Time inside SQLite, distribution", SECONDS, "All statements of the chosen targets.",
                  query(heatmap(INSIDE), "{{le}}"), kind="heatmap", lowest=None),
            Panel("Mean", SECONDS, "Per execution; ten slowest.", query(top(10, mean(INSIDE, BY)), LEGEND)),
            Row("Waits"),
            Panel("Wait, p99 by kind", SECONDS, "busy: another connection holds the lock; sync: the disk; "
                  "checkpoint: the WAL is copied back.",
                  query(quantile(0.99, WAIT, "target, kind"), "{{target}} {{kind}}"), width=8),
            Panel("Waits per second", PER_SECOND, "By kind.",
                  query(histogram_rate(WAIT, "target, kind"), "{{target}} {{kind}}"), width=8),
            Panel("Share of SQLite's time that is waiting", RATIO, "Seconds in a wait by seconds inside "
                  "statements. Near 1 for busy: one writer too many.",
                  query(f"({histogram_seconds(WAIT, 'target, kind')}) / on (target) group_left () "
                        f"({histogram_seconds(INSIDE, 'target')})", "{{target}} {{kind}}"), width=8),
            Row("Results, compiles, connections"),
            Panel("Results by code", PER_SECOND, "SQLITE_BUSY here means that the busy timeout was not enough.",
                  query(rate("nearzero_sqlite_results_total", "target, code"), "{{target}} {{code}}"), width=8),
            Panel("Statements that failed", PER_SECOND, "By text.",
                  query(top(10, rate("nearzero_sqlite_statement_errors_total", BY)), LEGEND), width=8),
            Panel("Compiles per execution", RATIO, "Near 1: statements are prepared anew each time instead of "
                  "being kept.",
                  query("(" + histogram_rate("nearzero_sqlite_compile_seconds", "target") + ") / on (target) "
                        + rate("nearzero_sqlite_statements_total", "target"), "{{target}}"), width=8),
            Panel("Compile time, p99", SECONDS, "Of one sqlite3_prepare.",
                  query(quantile(0.99, "nearzero_sqlite_compile_seconds", "target"), "{{target}}"), width=8),
            Panel("Open connections", COUNT, "Rises without falling: connections leak.",
                  query(gauge("nearzero_sqlite_open_connections", "target"), "{{target}}"), width=8),
            Panel("Opens and closes", PER_SECOND, "An open for each request costs the schema's parsing each time.",
                  query(rate("nearzero_sqlite_opens_total", "target"), "{{target}} opens"),
                  query(rate("nearzero_sqlite_closes_total", "target"), "{{target}} closes"), width=8),
            Row("Database files"),
            Panel("Size of files", BYTES, "A wal that only grows: no checkpoint gets to its end.",
                  query(gauge("nearzero_sqlite_database_bytes", "target, database, kind", how="max"),
                        "{{database}} {{kind}}"), width=8),
            Panel("Pages in the WAL", COUNT, "written less checkpointed is what a checkpoint has still to do.",
                  query(gauge("nearzero_sqlite_wal_frames", "target, database, state", how="max"),
                        "{{database}} {{state}}"), width=8),
            Panel("Locks held", SECONDS, "Who has been seen with the write lock in one transaction, or reads and "
                  "pins the WAL, and for how long. Empty: nobody, at the moments of looking.",
                  query(gauge("nearzero_sqlite_lock_held_seconds", "target, database, lock, comm", how="max"),
                        "{{comm}} {{lock}} {{database}}"), width=8),
            Panel("Slow statements logged", PER_SECOND, "Single statements over the target's threshold; the agent's "
                  "log has each with its breakdown.",
                  query(top(10, rate("nearzero_sqlite_slow_statements_total", "target, digest")),
                        "{{target}} {{digest}}"), width=8),
            Panel("Slow statements not logged", PER_SECOND, "Over the threshold, and kept back by the limit of "
                  "the log or a full ring.",
                  query(rate("nearzero_sqlite_slow_dropped_total", "target, cause"), "{{target}} {{cause}}"), width=8),
            Panel("Threshold of slow statements", SECONDS, "0: off.",
                  query(gauge("nearzero_sqlite_slow_threshold_seconds", "target", how="max"), "{{target}}"), width=8),
            Row("How it is measured"),
            Panel("Plan in use", COUNT, "1 for the plan: step is exact, boundary is cheap where statements "
                  "return many rows.",
                  query(gauge("nearzero_sqlite_plan", "target, plan", how="max"), "{{target}} {{plan}}"), width=8),
            Panel("Steps and rows", PER_SECOND, "Known under the step plan only.",
                  query(rate("nearzero_sqlite_steps_total", "target"), "{{target}} steps"),
                  query(rate("nearzero_sqlite_rows_total", "target"), "{{target}} rows"), width=8),
            Panel("Statements that lack something", PER_SECOND, "By cause: counted, and without a duration or "
                  "a time inside.",
                  query(rate("nearzero_sqlite_incomplete_total", "target, cause"), "{{target}} {{cause}}"),
                  width=8),
        ])
