"""`python -m streams dealer match PAYMENT BILL`: for which bill a payment in suspense is (DLR-06).

Whose payment and whose bill it is, is looked up in the projection; what becomes of the money, the dealer's book decides
by `MatchPayment`, and tells.
"""

import time
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg

from schemas.codec import Codec
from schemas.dealer_billing import Refused
from schemas.dealer_bills import BillPaid, MatchPayment, PaymentCredited, PaymentHandedOver, PaymentWaits
from schemas.fields import format_minor
from schemas.publishing import Upstream, upstream
from schemas.registry import ConfluentRegistry
from schemas.settings import Settings
from schemas.topics import BILL_CORRECTIONS, BILL_EVENTS
from streams import person
from streams.asking import ask
from streams.views.projection import CannotShow

SOURCE = "millrace/command-line"


class CannotMatch(CannotShow):
    """Which payment or bill is meant is not to be seen in the projection: says why, and what to do."""


class Meant(NamedTuple):
    """A payment and a bill, each with its dealer."""

    dealer_id: str
    payment_id: str
    bill_dealer_id: str
    bill_id: str


SUSPENDED = "SELECT dealer_id FROM projection.suspense WHERE payment_id = %s ORDER BY 1"
BILLED = "SELECT dealer_id FROM projection.bill WHERE bill_id = %s ORDER BY 1"


def find(
    connection: psycopg.Connection, payment_id: str, bill_id: str, dealer_id: str | None, bill_dealer_id: str | None
) -> Meant:
    """Whose payment and whose bill is meant: a dealer's own bill before another one's. Raises `CannotMatch`."""
    payment = _one(connection, SUSPENDED, payment_id, dealer_id, f"no payment {payment_id} in suspense", "--dealer")
    if bill_dealer_id is None and (payment,) in connection.execute(BILLED, [bill_id]).fetchall():
        bill_dealer_id = payment
    bill = _one(connection, BILLED, bill_id, bill_dealer_id, f"no bill {bill_id}", "--bill-dealer")
    return Meant(payment, payment_id, bill, bill_id)


def match(settings: Settings, meant: Meant, wait_s: float) -> Any:
    """Ask the dealer's book; the event that answers. Raises what `ask` raises."""
    codec = Codec(ConfluentRegistry(settings.registry), [BILL_EVENTS, BILL_CORRECTIONS])
    return ask(settings, codec, _command(meant), BILL_EVENTS, wait_s)


def _one(connection: psycopg.Connection, query: str, id_: str, wanted: str | None, missing: str, option: str) -> str:
    """The dealer who has it: the one who is wanted, or the only one."""
    dealers = [dealer for (dealer,) in connection.execute(query, [id_])]
    if wanted is not None and wanted not in dealers:
        raise CannotMatch(f"{missing} of dealer {wanted}" + (f", but of {', '.join(dealers)}" if dealers else ""))
    if not dealers:
        raise CannotMatch(missing)
    if wanted is None and len(dealers) > 1:
        raise CannotMatch(f"{id_} is of {', '.join(dealers)}: say whose is meant with {option}")
    return wanted or dealers[0]


def _command(meant: Meant) -> Upstream:
    match_id = f"match-{uuid4()}"
    message = MatchPayment(
        match_id=match_id,
        dealer_id=meant.dealer_id,
        payment_id=meant.payment_id,
        bill_id=meant.bill_id,
        bill_dealer_id=None if meant.bill_dealer_id == meant.dealer_id else meant.bill_dealer_id,
    )
    now, actor = time.time_ns() // 1_000, person.at_the_command_line()
    return upstream(BILL_CORRECTIONS, message, event_id=match_id, source=SOURCE, time_us=now, actor=actor)


def in_words(answer: Any) -> str:
    """What the book has answered. Pure."""
    match answer:
        case BillPaid():
            paid = format_minor(answer.applied_minor, answer.received.currency)
            rest = format_minor(answer.surplus_minor, answer.received.currency)
            more = f"; {rest} more is the current balance of {answer.account}" if answer.surplus_minor else ""
            state = answer.state.replace("_", " ")
            return f"payment {answer.payment_id} pays {paid} of bill {answer.bill_id}, now {state}{more}"
        case PaymentCredited():
            return f"bill {answer.bill_id} is voided: {answer.received} is the current balance of {answer.account}"
        case PaymentWaits():
            return f"payment {answer.payment_id} waits for bill {answer.bill_id}, which Billing does not have yet"
        case PaymentHandedOver():
            return f"payment {answer.payment_id} goes to dealer {answer.bill_dealer_id}, for bill {answer.bill_id}"
        case Refused():
            figures = ", ".join(f"{name} {value}" for name, value in answer.figures.items())
            return f"refused: {answer.reason.replace('_', ' ')} ({figures})"
        case _:
            raise TypeError(f"{type(answer).__name__} is no answer to MatchPayment")
