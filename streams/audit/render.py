"""The report as people read it."""

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.fields import format_minor
from streams.audit.findings import MEANING, Kind
from streams.audit.report import Report

SHOWN = 10
"""Findings shown of each kind; `--json` has more."""


def render(report: Report) -> RenderableType:
    """Counts, sums, findings, and the verdict last, where the eye ends."""
    parts: list[RenderableType] = [_counts(report)]
    if report.sums:
        parts += ["", _sums(report)]
    if not report.clean:
        parts += ["", *_findings(report)[:-1]]
    return Group(*parts, "", _verdict(report))


def _counts(report: Report) -> Table:
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in report.outcomes.items())
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column(style="dim")
    for topic, count in report.inputs.items():
        table.add_row("input", f"{count:,}", topic)
    table.add_row("decisions", f"{report.decisions:,}", outcomes)
    table.add_row("dead letters", f"{sum(report.dead_letters.values()):,}", ", ".join(report.dead_letters))
    table.add_row("journal lines", f"{report.lines:,}", f"books {report.books:,}, accounts {report.accounts:,}")
    table.add_row("open locks", f"{report.open_locks:,}", "")
    table.add_row("statement lines", f"{report.statement_lines:,}", f"compared: {', '.join(report.projections)}")
    return table


def _sums(report: Report) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("over all accounts", style="dim")
    for heading in ("debits", "credits"):
        table.add_column(heading, justify="right")
    for currency, sums in report.sums.items():
        for state in ("posted", "pending"):
            amounts = (format_minor(sums[f"{side}_{state}"], currency) for side in ("debits", "credits"))
            table.add_row(f"{currency} {state}", *amounts)
    return table


def _findings(report: Report) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for kind in Kind:
        shown = [finding for finding in report.findings.kept if finding.kind is kind][:SHOWN]
        if not shown:
            continue
        count = report.findings.counts[kind]
        more = "" if count == len(shown) else f", {len(shown)} of them here"
        parts.append(Text.assemble((f"{kind}", "bold red"), f"  {count:,}{more}  ", (MEANING[kind], "dim")))
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
        for heading in ("where", "expected", "found"):
            table.add_column(heading, overflow="fold")
        for finding in shown:
            table.add_row(*(Text(part) for part in finding[1:]))
        parts += [table, ""]
    return parts


def _verdict(report: Report) -> Text:
    if report.clean:
        return Text.assemble(("clean", "bold green"), ": the journal, the tables and the projections tell one story")
    kinds = len(report.findings.counts)
    differences = f"{len(report.findings):,} difference{'s' if len(report.findings) > 1 else ''}"
    return Text.assemble((differences, "bold red"), f" of {kinds} kind{'s' if kinds > 1 else ''}")
