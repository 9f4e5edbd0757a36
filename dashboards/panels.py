"""Every panel of the dashboard, as data: its title, what a bad value means, its unit, and its queries (PIPE-11)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from schemas.fields import DECIMALS

PER_SECOND, BYTES_PER_SECOND, SECONDS, COUNT, AMOUNT, YES_OR_NO = "cps", "Bps", "s", "short", "locale", "bool_yes_no"

WINDOW = "$__rate_interval"  # Grafana's own: it grows as one zooms out, so that no moment falls between two points
CURRENCY = "currency"  # the variable that one picks currencies with

_PROCESS = "{{worker}}"


@dataclass(frozen=True)
class Panel:
    """One panel; `lines` holds its PromQL by legend. Shown once for each value of the variable `repeated_by`."""

    title: str
    meaning: str
    unit: str
    lines: Mapping[str, str]
    repeated_by: str | None = None


class Query(NamedTuple):
    """One query as Prometheus takes it, without the variables of Grafana."""

    title: str
    promql: str
    unit: str


def queries() -> list[Query]:
    """Every query of the dashboard, for tests against a real Prometheus."""
    return [
        Query(f"{row}: {panel.title}, {legend}", _without_variables(promql), panel.unit)
        for row, panels in ROWS.items()
        for panel in panels
        for legend, promql in panel.lines.items()
    ]


def _without_variables(promql: str) -> str:
    return promql.replace(WINDOW, "1m").replace(f"${CURRENCY}", ".+")


def _per_second(counter: str, by: str) -> str:
    return f"sum by ({by}) (rate({counter}[{WINDOW}]))"


def _last_hour(counter: str, by: str) -> str:
    """How often in the last hour, for what is rare; of processes that have ended since, too.

    A counter with labels is born at its first event with 1, not 0, so `increase` alone would never show that event.
    """
    return f"sum by ({by}) ((increase({counter}[1h]) and {counter} offset 1h) or last_over_time({counter}[1h]))"


def _quantiles(histogram: str, by: str = "") -> dict[str, str]:
    """The p50 and p99 of a histogram over all processes, or for each value of the label `by`."""
    labels, legend = (f"le, {by}", f"{{{{{by}}}}} ") if by else ("le", "")
    buckets = f"sum by ({labels}) (rate({histogram}_bucket[{WINDOW}]))"
    return {f"{legend}p{share}": f"histogram_quantile(0.{share}, {buckets})" for share in (50, 99)}


def _money_of_last_hour(by: str) -> str:
    """Whole units of each currency: minor units by the decimals that the contracts know of it, else two."""
    counter = "millrace_money_minor_total"
    moved = _last_hour(f'{counter}{{currency=~"${CURRENCY}"}}', f"{by}, currency")
    per_unit = [f"{10**decimals} * {_seen(counter, decimals)}" for decimals in sorted(set(DECIMALS.values()))]
    per_unit.append(f"100 * group by (currency) (last_over_time({counter}[1h]))")
    return f"{moved} / on (currency) group_left () ({' or '.join(per_unit)})"


def _seen(counter: str, decimals: int) -> str:
    codes = "|".join(code for code, its_decimals in DECIMALS.items() if its_decimals == decimals)
    return f'group by (currency) (last_over_time({counter}{{currency=~"{codes}"}}[1h]))'


IS_IT_WELL = (
    Panel(
        "Answers Prometheus",
        "No: the process announced itself and is dead or unreachable; read the end of its log and start it again, "
        "which loses and doubles nothing.",
        YES_OR_NO,
        {f"{_PROCESS} {{{{instance}}}}": "up"},
    ),
    Panel(
        "Makes progress",
        "No: the worker's cycle has hung for longer than an agent and a commit may take, so restart it, and look in "
        "its log for the agent or the broker that it waits for.",
        YES_OR_NO,
        {_PROCESS: "millrace_up"},
    ),
    Panel(
        "Ready",
        "No for more than two minutes: the worker is restoring tables or belongs to no group; see the time of restores "
        "below, and its log.",
        YES_OR_NO,
        {_PROCESS: "millrace_ready"},
    ),
    Panel(
        "Partitions owned",
        "Unequal shares, or a worker without any: there are more workers than partitions, or one of them cannot join.",
        COUNT,
        {_PROCESS: "millrace_assigned_partitions"},
    ),
    Panel(
        "Lag",
        "Lag that keeps growing means that more arrives than is decided: start more workers, up to one for each "
        "partition, and look at the times of the cycle below.",
        COUNT,
        {"{{topic}}": "sum by (topic) (millrace_lag_records)"},
    ),
    Panel(
        "Time since start",
        "A line that falls to zero again and again is a process that ends itself after each start: its log names the "
        "reason, which a restart will not mend.",
        SECONDS,
        {_PROCESS: "time() - process_start_time_seconds"},
    ),
    Panel(
        "Rebalances in the last hour",
        "More than the starts and stops that you know of: workers drop out of the group, because they are killed, "
        "paused or cut off from the broker.",
        COUNT,
        {_PROCESS: _last_hour("millrace_rebalances_total", "name, worker")},
    ),
    Panel(
        "Producers replaced in the last hour",
        "More than a few: transactions are slow, retried or cut off, so look at the broker and the network; the money "
        "stays right, only time is lost.",
        COUNT,
        {"{{reason}}": _last_hour("millrace_producer_replacements_total", "reason")},
    ),
)

THROUGHPUT = (
    Panel(
        "Records consumed",
        "Zero while there is lag means that the workers are stuck; zero without lag means that nothing comes from "
        "upstream: ask there.",
        PER_SECOND,
        {"{{topic}}": _per_second("millrace_records_consumed_total", "topic")},
    ),
    Panel(
        "Records written",
        "Outputs that stop while records are consumed: see whether everything is refused or buried as a dead letter.",
        PER_SECOND,
        {"{{topic}}": _per_second("millrace_outputs_total", "topic")},
    ),
    Panel(
        "Ticks",
        "Anything below one per second and partition: time stands still for some books, so that nothing expires there; "
        "see which worker owns their partition.",
        PER_SECOND,
        {"{{topic}}": _per_second("millrace_ticks_total", "topic")},
    ),
    Panel(
        "Records in a cycle",
        "A p50 at the limit of a batch (2,000 unless set) means that the workers run at capacity: start more of them.",
        COUNT,
        _quantiles("millrace_cycle_records"),
    ),
    Panel(
        "Processing time of a cycle",
        "A p99 of seconds means that decisions themselves are slow: profile the worker, or lower the size of a batch.",
        SECONDS,
        _quantiles("millrace_process_seconds"),
    ),
    Panel(
        "Commit time",
        "A p99 above one second means that the broker answers slowly: look at its disks, its replicas and the network.",
        SECONDS,
        _quantiles("millrace_commit_seconds"),
    ),
)

DECISIONS = (
    Panel(
        "Decisions",
        "Refusals that outnumber acceptances point at upstream data or at limits that were set wrong: see the reasons "
        "beside.",
        PER_SECOND,
        {"{{room}} {{outcome}}": _per_second("millrace_decisions_total", "room, outcome")},
    ),
    Panel(
        "Refusals in the last hour",
        "A reason that is new or rises: find its commands in the journal by that reason, and tell the team that sends "
        "them.",
        COUNT,
        {"{{room}} {{reason}}": _last_hour("millrace_refusals_total", "room, reason")},
    ),
    Panel(
        "Duplicates in the last hour",
        "Many mean that upstream sends again what was answered; nothing is paid twice, but its retries should be "
        "mended.",
        COUNT,
        {"{{room}}": _last_hour('millrace_decisions_total{outcome="duplicate"}', "room")},
    ),
)

MONEY = (
    Panel(
        "$currency moved in the last hour, by step",
        "Far more locked than settled and voided for hours means that locks stay open: see whether the ticks run, and "
        "whether the events that end trips and purchases arrive.",
        AMOUNT,
        {"{{room}} {{step}}": _money_of_last_hour("room, step")},
        CURRENCY,
    ),
    Panel(
        "$currency moved in the last hour, by class of account",
        "A pair of classes that is new, missing or of unusual size: run the audit, `python -m streams audit`, before "
        "anything is paid out.",
        AMOUNT,
        {"{{step}}: {{debit}} → {{credit}}": _money_of_last_hour("step, debit, credit")},
        CURRENCY,
    ),
)

TABLES = (
    Panel(
        "Rows",
        "A table that only grows will outgrow the worker's memory: find what should delete its rows, or spread the "
        "partitions over more workers.",
        COUNT,
        {"{{table}}": "sum by (table) (millrace_table_rows)"},
    ),
    Panel(
        "Open locks",
        "A number that only rises means that locked money is never settled or voided: see whether the ticks run, and "
        "which locks of a book are old with `python -m streams book`.",
        COUNT,
        {"open": 'sum(millrace_table_rows{table="locks"})'},
    ),
    Panel(
        "Rows changed",
        "Far more changes than records consumed mean that one message touches many rows: look for the room whose "
        "tables these are.",
        PER_SECOND,
        {"{{table}}": _per_second("millrace_rows_changed_total", "table")},
    ),
    Panel(
        "Mean time of a restore since start",
        "Minutes mean that a start or a rebalance holds up money for as long: let changelogs be compacted sooner, or "
        "use more partitions and workers.",
        SECONDS,
        {_PROCESS: "millrace_restore_seconds_sum / millrace_restore_seconds_count"},
    ),
    Panel(
        "Keys restored in the last hour",
        "Many without a start or a stop that you know of: partitions wander between workers, see the rebalances above.",
        COUNT,
        {
            "{{table}}": _last_hour("millrace_restored_records_total", "table"),
            "{{table}} from snapshots": _last_hour("millrace_snapshot_rows_read_total", "table"),
        },
    ),
    Panel(
        "Snapshots written in the last hour",
        "None though rows change: a start will read whole changelogs, so see that MILLRACE_SNAPSHOTS names a folder.",
        COUNT,
        {"{{table}}": _last_hour("millrace_snapshots_written_total", "table")},
    ),
    Panel(
        "Snapshots refused or not written in the last hour",
        "No money is touched, but a start takes longer: not_written is the disk, unreadable a crash or a bad disk, "
        "other_changelog a topic made anew, too_old a worker that was away.",
        COUNT,
        {"{{reason}}": _last_hour("millrace_snapshot_problems_total", "reason")},
    ),
    Panel(
        "Stall by snapshots",
        "Above a tenth of a second: a partition of a table is very large, use more partitions.",
        SECONDS,
        _quantiles("millrace_snapshot_stall_seconds"),
    ),
)

DEAD_LETTERS = (
    Panel(
        "Dead letters in the last hour",
        "Any: a record could not be read and its money has not moved, so see it with `python -m streams deadletters`, "
        "mend the cause, and replay it.",
        COUNT,
        {"{{topic}}: {{reason}}": _last_hour("millrace_dead_letters_total", "topic, reason")},
    ),
    Panel(
        "Dead letters since the workers' start",
        "A line that rises steadily is one sender with a broken schema: its topic and the reason say whom to call.",
        COUNT,
        {"{{topic}}: {{reason}}": "sum by (topic, reason) (millrace_dead_letters_total)"},
    ),
)

SINKS = (
    Panel(
        "Parked now",
        "Any: an invoice or a journal waits for a person, so list it with `python -m sinks parked`, mend the cause, "
        "and run `python -m sinks retry`.",
        COUNT,
        {"{{sink}}": "max by (sink) (millrace_sink_parked_waiting)"},
    ),
    Panel(
        "Parked in the last hour",
        "A reason that repeats is one cause: mend that, most often reference data, before you retry.",
        COUNT,
        {"{{sink}}: {{reason}}": _last_hour("millrace_sink_parked_total", "sink, reason")},
    ),
    Panel(
        "Sink lag",
        "Lag that keeps growing means that files are late: see the times below, and start another worker of this sink.",
        COUNT,
        {"{{sink}}": "sum by (sink) (millrace_sink_lag_records)"},
    ),
    Panel(
        "Since the last turn",
        "Minutes: the process answers Prometheus and does nothing else, so read its log, end it and start it again.",
        SECONDS,
        {_PROCESS: "max by (worker) (time() - millrace_sink_turn_timestamp_seconds)"},
    ),
    Panel(
        "Records applied",
        "Zero while there is lag means that the sink is stuck: its log says whether on Postgres, Kafka or a file.",
        PER_SECOND,
        {"{{sink}}": _per_second("millrace_sink_records_total", "sink")},
    ),
    Panel(
        "Files",
        "Zero while records are applied means that everything is parked: see the reasons above.",
        PER_SECOND,
        {"{{sink}} {{kind}}": _per_second("millrace_sink_files_total", "sink, kind")},
    ),
    Panel(
        "Bytes of files",
        "A sudden change without one in the number of files means that their content changed: run "
        "`python -m sinks verify`.",
        BYTES_PER_SECOND,
        {"{{sink}} {{kind}}": _per_second("millrace_sink_file_bytes_total", "sink, kind")},
    ),
    Panel(
        "Transaction time",
        "A p99 of seconds means that Postgres or the making of files is slow: look at its locks and disks first.",
        SECONDS,
        _quantiles("millrace_sink_transaction_seconds", "sink"),
    ),
    Panel(
        "Time to store files",
        "A p99 of seconds means that the blob storage is slow or far: nothing is lost, and files follow late.",
        SECONDS,
        _quantiles("millrace_sink_put_seconds", "sink"),
    ),
    Panel(
        "Trouble in the last hour",
        "A few stale transactions belong to a rebalance; many, or lost connections, mean that sinks fight over "
        "partitions or that Postgres restarts: read both logs.",
        COUNT,
        {
            "{{sink}} stale": _last_hour("millrace_sink_stale_total", "sink"),
            "{{sink}} reconnects": _last_hour("millrace_sink_reconnects_total", "sink"),
        },
    ),
)

AFTER_THE_FILES = (
    Panel(
        "Files without an answer",
        "Any in doubt for long, or waiting that grow: the general ledger does not answer, so read the `problem` of "
        "`sink.upload` and call whoever runs it.",
        COUNT,
        {"{{state}}": "max by (state) (millrace_sink_uploads_open)"},
    ),
    Panel(
        "Refused lines",
        "Any: the general ledger wrote nothing of their transactions, so list them with `python -m sinks refused`, "
        "mend the reference data, and correct them.",
        COUNT,
        {"lines": "max(millrace_sink_refused_lines)"},
    ),
    Panel(
        "Age of the oldest day without an answer",
        "More than a working day: look at that day with `python -m sinks day`, which says where it is stuck.",
        SECONDS,
        {"since its end": "max(millrace_sink_oldest_open_day_seconds)"},
    ),
    Panel(
        "Uploads and answers in the last hour",
        "More uploads than answers: files are sent and sent again, so the connection to the general ledger breaks "
        "after it has begun to read.",
        COUNT,
        {
            "uploads": "sum(increase(millrace_sink_uploads_total[1h]))",
            "{{outcome}}": _last_hour("millrace_sink_upload_answers_total", "outcome"),
        },
    ),
    Panel(
        "Acknowledgements published",
        "Zero while some wait: Kafka or the registry is away, and purchases stay authorised without being processed.",
        PER_SECOND,
        {"published": f"sum(rate(millrace_sink_acknowledgements_total[{WINDOW}]))"},
    ),
    Panel(
        "Acknowledgements waiting",
        "A number that does not fall: see the log of the general-ledger sink for what Kafka says.",
        COUNT,
        {"waiting": "max(millrace_sink_acknowledgements_waiting)"},
    ),
    Panel(
        "Receipts in the last hour",
        "Refused ones are parked and name a wrong address; many put off mean that the mail server is away or does not "
        "like us.",
        COUNT,
        {"{{outcome}}": _last_hour("millrace_sink_receipts_total", "outcome")},
    ),
    Panel(
        "Receipts waiting",
        "A number that does not fall: the mail server takes nothing, and the log of the receipts sink says why.",
        COUNT,
        {"waiting": "max(millrace_sink_receipts_waiting)"},
    ),
)

BILLING = (
    Panel(
        "Billing is let alone",
        "Longer than a few minutes: the external Billing does not answer, or nothing that makes sense, and calls wait "
        "in their order, so see `python -m sinks calls --open` and call whoever runs it; nothing is lost.",
        COUNT,
        {"{{instance}}": "max by (instance) (millrace_sink_billing_let_alone)"},
    ),
    Panel(
        "Calls without an answer",
        "Any parked: its account's later calls wait behind it, so see `python -m sinks calls --parked` and run "
        "`python -m sinks retry`; many in doubt mean that answers are lost on the way.",
        COUNT,
        {"{{state}}": "max by (state) (millrace_sink_billing_calls_open)"},
    ),
    Panel(
        "Age of the oldest call without an answer",
        "More than minutes while Billing is not let alone: one account is stuck, and `python -m sinks calls --open` "
        "says on what.",
        SECONDS,
        {"since it came": "max(millrace_sink_billing_oldest_call_seconds)"},
    ),
    Panel(
        "Calls and answers in the last hour",
        "More calls than answers: calls are sent and sent again; many refused of one kind: what we send of it is "
        "wrong.",
        COUNT,
        {
            "{{kind}} sent": _last_hour("millrace_sink_billing_calls_total", "kind"),
            "{{kind}} {{outcome}}": _last_hour("millrace_sink_billing_outcomes_total", "kind, outcome"),
        },
    ),
    Panel(
        "Answers published",
        "Zero while some wait: Kafka or the registry is away, and dealers' books do not hear of what Billing has done.",
        PER_SECOND,
        {"published": f"sum(rate(millrace_sink_billing_answers_total[{WINDOW}]))"},
    ),
    Panel(
        "Answers waiting",
        "A number that does not fall: see the log of the billing sink for what Kafka says.",
        COUNT,
        {"waiting": "max(millrace_sink_billing_answers_waiting)"},
    ),
)

ROWS: Mapping[str, tuple[Panel, ...]] = {
    "Is it well": IS_IT_WELL,
    "Throughput": THROUGHPUT,
    "Decisions": DECISIONS,
    "Money": MONEY,
    "Tables": TABLES,
    "Dead letters": DEAD_LETTERS,
    "Sinks": SINKS,
    "General ledger and receipts": AFTER_THE_FILES,
    "Billing": BILLING,
}
