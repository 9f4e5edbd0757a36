"""The tables that CDC publishes, declared once: table, its CDC topic, and the reference topic that its rows become."""

from typing import NamedTuple

from schemas import topics
from schemas.fields import Message
from schemas.topics import DAY_MS, Topic

CDC_CONFIG = {"cleanup.policy": "compact", "min.compaction.lag.ms": str(7 * DAY_MS)}
"""A CDC topic has the last change of every row for ever, and every change for so long as an agent may be down."""


class Table(NamedTuple):
    """One table of schema `reference`: columns named as the message's fields, and `row_id`, its primary key."""

    name: str
    row_id: str
    to: Topic

    @property
    def cdc_topic(self) -> str:
        """Where Debezium writes the changes of this table's rows: sources/reference.json makes the same name."""
        return f"reference.{self.name}.cdc.v1"

    @property
    def message(self) -> type[Message]:
        """What a row becomes: the first message of its topic."""
        message = self.to.messages[0]
        assert issubclass(message, Message)
        return message


TABLES: tuple[Table, ...] = (
    Table("vehicle_prices", "vehicle_id", topics.VEHICLE_PRICES),
    Table("group_members", "rider_id", topics.GROUP_MEMBERS),
    Table("dealers", "dealer_id", topics.DEALERS),
    Table("prisoners", "prisoner_id", topics.PRISONERS),
    Table("suppliers", "supplier_id", topics.SUPPLIERS),
    Table("prisons", "prison_id", topics.PRISONS),
    Table("officers", "officer_id", topics.OFFICERS),
    Table("gl_accounts", "purpose", topics.GL_ACCOUNTS),
    Table("deposit_tiers", "tier_id", topics.DEPOSIT_TIERS),
    Table("commission_rates", "rate_id", topics.COMMISSION_RATES),
    Table("commission_policies", "policy_id", topics.COMMISSION_POLICIES),
)

TABLE_OF: dict[str, Table] = {table.name: table for table in TABLES}
