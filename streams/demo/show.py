"""What a person sees at the end of the demo, and the same figures for programs."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson
import psycopg
from rich.console import Console, JustifyMethod
from rich.table import Table

from schemas.fields import format_minor
from schemas.settings import Settings
from streams.demo.run import BUILD, Result

BALANCES = """
    SELECT split_part(book, ':', 1), split_part(account, '/', 1), currency,
        count(*), sum(balance_minor), sum(available_minor)
    FROM projection.balances GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


MOST_DEALERS = 6
"""So many have a line of their own."""


class BalanceSum(NamedTuple):
    """All accounts of one kind in books of one kind, in one currency; sums in minor units."""

    book: str
    account: str
    currency: str
    accounts: int
    balance_minor: int
    available_minor: int


def report(result: Result) -> dict[str, Any]:
    """The figures of `build/demo/report.json`."""
    watch = result.watch
    return {
        "inputs": result.inputs,
        "outcomes": watch.outcomes.total(),
        "outcomes_by_kind": dict(watch.outcomes),
        "dead_letters": watch.dead_letters.total(),
        "dead_letters_by_reason": [
            {"topic": topic, "reason": reason, "count": count}
            for (topic, reason), count in sorted(watch.dead_letters.items())
        ],
        "decisions": watch.decisions,
        "postings": watch.lines,
        "refusals": [
            {"room": room, "reason": reason, "count": count} for (room, reason), count in sorted(watch.refusals.items())
        ],
        "purchases": [
            {"what": what, "count": paid.times, "total_minor": paid.total_minor}
            for what, paid in sorted(watch.paid.items())
        ],
        "bills": [
            {
                "state": each.state,
                "currency": each.currency,
                "count": each.number,
                "common_minor": each.common_minor,
                "paid_minor": each.paid_minor,
                "one": each.one.bill_id,
                "url": each.one.url,
            }
            for each in watch.bills.by_state()
        ],
        "commission": [each._asdict() for each in watch.deals.commission()],
        "segments": [each._asdict() for each in watch.deals.segments()],
        "billing_answers": watch.answers,
        "audit_differences": len(result.audit.findings),
        "balances_sha256": result.balances_sha256,
        "invoices": result.invoices,
        "adi_files": result.adi_files,
        "events_per_second": round(result.inputs / result.working_s, 1),
        "seconds": round(result.seconds, 1),
    }


def write(figures: dict[str, Any]) -> None:
    """Put the report where programs look for it."""
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "report.json").write_bytes(orjson.dumps(figures, option=orjson.OPT_INDENT_2))


def balances_in(settings: Settings) -> list[BalanceSum]:
    """The sums of the projection in Postgres."""
    with psycopg.connect(settings.postgres) as connection:
        return [BalanceSum(*row) for row in connection.execute(BALANCES).fetchall()]


def show(console: Console, settings: Settings, result: Result, figures: dict[str, Any]) -> None:
    """Tables of balances, refusals, dead letters, files; then the audit's verdict."""
    show_outcomes(console, balances_in(settings), figures)
    console.print(_table("Files", ("kind", ">count", ">total"), _files(figures)))
    show_verdict(console, result, figures)
    console.print("\nThe servers still run. Look at a book, and end them when you have seen enough:\n")
    for line in ("book group:grp-000", "statement group:grp-000", "dealer bills cme-dlr-000"):
        console.print(f"    .venv/bin/python -m streams {line}", highlight=False)
    console.print("    make stop", highlight=False)


def show_outcomes(console: Console, balances: Iterable[BalanceSum], figures: dict[str, Any]) -> None:
    """Tables of balances, bills, purchases, refusals and dead letters."""
    console.print(
        _table(
            "Balances",
            ("book", "account", ">accounts", ">balance", ">available"),
            (
                (
                    book,
                    account,
                    f"{count:,}",
                    format_minor(int(balance), currency),
                    format_minor(int(available), currency),
                )
                for book, account, currency, count, balance, available in balances
            ),
        )
    )
    _show_bills(console, figures)
    _show_deals(console, figures)
    purchases = (
        (each["what"], f"{each['count']:,}", format_minor(each["total_minor"], "GBP")) for each in figures["purchases"]
    )
    console.print(_table("Prisoners' purchases", ("what", ">count", ">total"), purchases))
    refusals = ((each["room"], each["reason"], f"{each['count']:,}") for each in figures["refusals"])
    console.print(_table("Refusals", ("room", "reason", ">count"), refusals))
    letters = ((each["topic"], each["reason"], f"{each['count']:,}") for each in figures["dead_letters_by_reason"])
    console.print(_table("Dead letters", ("topic", "reason", ">count"), letters))


def _show_bills(console: Console, figures: dict[str, Any]) -> None:
    """Sums by state; and of each state one bill, with the address that Billing has given of its PDF."""
    sums, ones = [], []
    for each in figures["bills"]:
        state, money = each["state"].replace("_", " "), each["currency"]
        billed, paid = (format_minor(each[name], money) for name in ("common_minor", "paid_minor"))
        sums.append((state, f"{each['count']:,}", billed, paid))
        ones.append((state, each["one"], each["url"] or "Billing does not have it"))
    console.print(_table("Dealers' bills", ("state", ">count", ">billed", ">paid"), sums))
    console.print(_table("One bill of each state", ("state", "bill", "|PDF"), ones))


def _show_deals(console: Console, figures: dict[str, Any]) -> None:
    """Our commission by dealer, of most of them in one line; and in which price segments how many may bid."""
    owed = figures["commission"]
    rows = [
        (each["dealer_id"], f"{each['lots']:,}", format_minor(each["commission_minor"], each["currency"]))
        for each in owed[:MOST_DEALERS]
    ]
    for currency in sorted({each["currency"] for each in owed[MOST_DEALERS:]}):
        others = [each for each in owed[MOST_DEALERS:] if each["currency"] == currency]
        lots, minor = (sum(each[name] for each in others) for name in ("lots", "commission_minor"))
        rows.append((f"{len(others)} others", f"{lots:,}", format_minor(minor, currency)))
    console.print(_table("Commission by dealer", ("dealer", ">lots", ">commission"), rows))
    opened = ((f"{each['currency']} {each['segment']}", f"{each['dealers']:,}") for each in figures["segments"])
    console.print(_table("Open price segments", ("segment", ">dealers"), opened))


def _files(figures: dict[str, Any]) -> Iterable[tuple[str, ...]]:
    workbooks = [file for file in figures["adi_files"] if file["path"].endswith(".xlsx")]
    for kind, files in (("invoices", figures["invoices"]), ("ADI journals, with their CSV twins", workbooks)):
        totals: Counter[str] = Counter()
        for each in files:
            totals[each["currency"]] += each["total_minor"]
        money = ", ".join(format_minor(total, currency) for currency, total in totals.items())
        yield kind, f"{len(files):,}", money


def _table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
    """A title that begins with > is of figures, one that begins with | of what must not be broken."""
    table = Table(title=title, title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    for column in columns:
        justify: JustifyMethod = "right" if column.startswith(">") else "left"
        table.add_column(column.lstrip(">|"), justify=justify, no_wrap=column.startswith("|"), overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def show_verdict(console: Console, result: Result, figures: dict[str, Any]) -> None:
    """Whether every input has its outcome, and what the audit says."""
    equation = (
        f"{figures['inputs']:,} inputs = {figures['outcomes']:,} outcomes + {figures['dead_letters']:,} dead letters"
    )
    billing = f"{figures['billing_answers']:,} answers of Billing"
    console.print(
        f"\n{equation}; {billing}; {figures['postings']:,} postings; {figures['events_per_second']:,} events/s"
    )
    if result.audit.clean:
        console.print(
            f"[bold green]The audit is clean[/]: every penny is where the journal says. {figures['seconds']} s"
        )
    else:
        console.print(f"[bold red]The audit found {figures['audit_differences']} differences[/]:")
        for finding in result.audit.findings.kept:
            console.print(f"  {finding.kind}: {finding.where}: expected {finding.expected}, found {finding.found}")
