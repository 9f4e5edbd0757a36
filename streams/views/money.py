"""How amounts and tables look in the views."""

from rich import box
from rich.table import Column, Table
from rich.text import Text

from schemas.fields import format_minor


def amount_of(minor: int, currency: str) -> Text:
    """`1,234.56` without its currency, which stands in a column or heading of its own; zero is quiet."""
    return Text(format_minor(minor, currency).rpartition(" ")[0], style="" if minor else "dim", no_wrap=True)


def balance_of(minor: int, currency: str) -> Text:
    """As an amount, but what is below zero is seen at once."""
    amount = amount_of(minor, currency)
    if minor < 0:
        amount.stylize("red")
    return amount


def amounts(*headings: str) -> tuple[Column, ...]:
    """Columns of figures: flush right, never broken."""
    return tuple(Column(heading, justify="right", no_wrap=True) for heading in headings)


def quiet_table(*columns: Column | str) -> Table:
    """A table with one thin rule under its headings."""
    return Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
