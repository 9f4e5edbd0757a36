"""`python -m streams repartition`."""

from collections.abc import Sequence

import click
import msgspec
from rich.console import Console

from schemas.partitioning import partition_of
from schemas.settings import settings
from schemas.topics import PARTITIONS
from streams.app import APP_ID, create_app
from streams.prison_finance import accounting_day
from streams.prison_finance.accounting_day import OpenDays
from streams.repartition.move import NotAtRestError, Place, Placing, Repartition
from streams.runtime.topics import CHANGELOG_CONFIG
from streams.topics import declared


class Counted(msgspec.Struct):
    """Of a row of tiers, how often they have changed. At rest all partitions have the same tiers, but not this."""

    changes: int = 0


def open_day_of_new_partitions(rows: Sequence[bytes]) -> bytes:
    """The row of `accounting_days` in a new partition, of the old partitions' rows."""
    return msgspec.json.encode(accounting_day.begun_beside([msgspec.json.decode(row, type=OpenDays) for row in rows]))


def most_changed_tiers(rows: Sequence[bytes]) -> bytes:
    """The row of `deposit_tiers` in every partition: no deposit was judged by a later count, wherever its book was."""
    return max(rows, key=lambda row: msgspec.json.decode(row, type=Counted).changes)


BY_BOOK = Place(Placing.BY_BOOK)
TABLES = {
    "balances": BY_BOOK,
    "locks": BY_BOOK,
    "limits": BY_BOOK,
    "seen": BY_BOOK,
    "captured": Place(Placing.STAYS),
    "trips": BY_BOOK,
    "group_members": BY_BOOK,
    "vehicle_prices": Place(Placing.EVERYWHERE),
    "bills": BY_BOOK,
    "billing_payments": BY_BOOK,
    "waiting_payments": BY_BOOK,
    "dealers": Place(Placing.BY_BOOK, "dealer:"),
    "registered_dealers": BY_BOOK,
    "dealer_accounts": BY_BOOK,
    "deposits": BY_BOOK,
    "deposit_payments": BY_BOOK,
    "deposit_tiers": Place(Placing.EVERYWHERE, begin=most_changed_tiers),
    "deals": BY_BOOK,
    "commission_months": BY_BOOK,
    "commission_rates": Place(Placing.EVERYWHERE),
    "commission_policies": Place(Placing.EVERYWHERE),
    "dealer_lots": BY_BOOK,
    "purchases": BY_BOOK,
    "batches": BY_BOOK,
    "prisoners": Place(Placing.BY_BOOK, "prisoner:"),
    "suppliers": Place(Placing.EVERYWHERE),
    "prisons": Place(Placing.EVERYWHERE),
    "officers": Place(Placing.EVERYWHERE),
    "gl_accounts": Place(Placing.EVERYWHERE),
    "advances": BY_BOOK,
    "gl_transactions": BY_BOOK,
    "accounting_days": Place(Placing.STAYS, begin=open_day_of_new_partitions),
}
"""Every table, and where its rows belong."""


@click.command()
@click.option("--replication", default=1, show_default=True)
def repartition(replication: int) -> None:
    """Bring topics and tables to the partitions that are declared, while everything stands still."""
    app = create_app(settings())
    unplaced = app.tables.keys() - TABLES.keys()
    assert not unplaced, f"say in {__name__} where rows of {sorted(unplaced)} belong"
    sources = {topic for agent in app.agents.values() for topic in agent.get_topic_names()}
    changelogs = {table.changelog_topic_name: TABLES[name] for name, table in app.tables.items()}
    move = Repartition(settings().client(), APP_ID, PARTITIONS, partition_of, replication, Console().print)
    try:
        move.run(sorted(sources), sorted(declared().keys() - sources), changelogs, CHANGELOG_CONFIG)
    except NotAtRestError as error:
        problem = click.ClickException(str(error))
        problem.exit_code = 2
        raise problem from error
