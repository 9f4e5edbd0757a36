"""The report of a day as people read it."""

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from sinks.general_ledger.day import DayReport, PrisonDay, Sum
from sinks.general_ledger.upload import LineStatus


def render(report: DayReport, found: Sequence[str]) -> RenderableType:
    """A row for each prison, then the differences, and the verdict last, where the eye ends."""
    table = Table(
        "prison",
        *(Column(each, justify="right") for each in
          ("ledger", "ADI files", "processed", "refused", "corrected", "open")),
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim",
    )  # fmt: skip
    for prison in report.prisons:
        table.add_row(*_row(prison))
    parts: list[RenderableType] = [table] if report.prisons else [Text(f"no prison has a line of {report.day}")]
    parts += [Text.assemble(("differs", "bold red"), "  ", each) for each in found]
    return Group(*parts, "", _verdict(report, found))


def _row(prison: PrisonDay) -> list[Text]:
    processed, refused, corrected = (
        prison.of(each) for each in (LineStatus.PROCESSED, LineStatus.REFUSED, LineStatus.REVERSED)
    )
    return [
        Text(prison.prison_id),
        Text(str(prison.ledger)),
        _marked(prison.files, "" if prison.files == prison.ledger else "bold red"),
        _marked(processed),
        _marked(refused, "bold red" if refused.lines else ""),
        _marked(corrected),
        _marked(prison.open, "yellow" if prison.open.lines else ""),
    ]


def _marked(figure: Sum, style: str = "") -> Text:
    return Text(str(figure) if figure.lines else "-", style=style or ("" if figure.lines else "dim"))


def _verdict(report: DayReport, found: Sequence[str]) -> Text:
    if found:
        how_many = f"{len(found)} difference{'' if len(found) == 1 else 's'}"
        return Text.assemble((how_many, "bold red"), f" on {report.day}")
    return Text.assemble(("agreed", "bold green"), f": ledger, files and general ledger say the same of {report.day}")
