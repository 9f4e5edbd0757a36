"""How amounts and tables look in the views."""

from rich import box
from rich.table import Column, Table
from rich.text import Text

from schemas.fields import format_minor


def amount_of(minor: int, currency: str) -> Text:
    """`1,234.56` without its currency, which stands in a column or heading of its own; zero is quiet, debt is not."""
    text = format_minor(minor, currency).rpartition(" ")[0]
    return Text(text, style="dim" if minor == 0 else "red" if minor < 0 else "", no_wrap=True)


def amounts(*headings: str) -> tuple[Column, ...]:
    """Columns of figures: flush right, never broken."""
    return tuple(Column(heading, justify="right", no_wrap=True) for heading in headings)


def quiet_table(*columns: Column | str) -> Table:
    """A table with one thin rule under its headings."""
    return Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
