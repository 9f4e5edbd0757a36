"""What every record must lead to: repetitions, the rooms' rules, what time makes due. Decided from inputs alone."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.torture.facts import Facts
from tests.torture.verifier.books import Books, Line

Fields = dict[str, Any]


class Input(NamedTuple):
    """One upstream record that is a message."""

    place: str  # topic/partition/offset
    event_id: str
    source: str
    at: int  # event time, UTC micros
    book: str
    name: str
    fields: Fields


class Sent(NamedTuple):
    """What one book tells another one, or Billing: a batch a prisoner, a dealer a dealer, a lot a dealer; and back.

    The three ids are those that tell it from others of its name; `said` is all the rest that matters.
    """

    name: str
    first_id: str
    second_id: str
    third_id: str
    said: str


class Verdict(NamedTuple):
    """What a decision must say, and what it must send to other books."""

    outcome: str
    reason: str | None = None
    lines: tuple[Line, ...] = ()
    sent: tuple[Sent, ...] = ()


ACCEPTED, REFUSED, DUPLICATE = "accepted", "refused", "duplicate"


def refused(reason: str) -> Verdict:
    """A refusal with its word."""
    return Verdict(REFUSED, reason)


@dataclass
class Seen:
    """The first use of an id."""

    content: Any
    decision: str


@dataclass
class Model:
    """The state of everything the model knows. The rooms' rules are given by the name of the message."""

    facts: Facts
    books: Books = field(default_factory=Books)
    seen: dict[str, Seen] = field(default_factory=dict)
    trips: dict[str, Fields] = field(default_factory=dict)
    purchases: dict[str, Fields] = field(default_factory=dict)
    advances: dict[str, list[Fields]] = field(default_factory=dict)
    """Open ones by book, oldest first."""
    transactions: dict[str, Fields] = field(default_factory=dict)
    ledger_lines: Counter[Any] = field(default_factory=Counter)
    """By book, transaction, entry, side, account, pence."""
    batches: dict[str, Fields] = field(default_factory=dict)
    dealers: dict[str, Fields] = field(default_factory=dict)
    accounts: dict[str, Fields] = field(default_factory=dict)
    bills: dict[str, Fields] = field(default_factory=dict)
    payments: dict[str, Fields] = field(default_factory=dict)
    waiting: dict[str, list[str]] = field(default_factory=dict)
    lots: dict[str, Fields] = field(default_factory=dict)
    deals: dict[str, Fields] = field(default_factory=dict)
    months: dict[str, Fields] = field(default_factory=dict)
    """Of commission, by book, month and currency."""
    deposits: dict[str, set[str]] = field(default_factory=dict)
    """The currencies of each book's."""
    moved: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Payments that changed a deposit."""
    tiers: list[tuple[str, str, int]] = field(default_factory=list)
    """Price segments, currencies, and the deposits that open them; as they stand at the end."""

    def has_payment(self, key: str) -> bool:
        """Whether a book has taken a payment of this id, of a bill or of a deposit."""
        return key in self.payments or key in self.moved

    def answer(self, given: Input, rules: "dict[str, Rule]") -> Verdict:
        """Decide one upstream message, and make it the truth."""
        content = (given.name, given.fields)
        used = [f"{given.book}|{given.source}|{given.event_id}"]
        if (identity := _identity(given)) is not None:
            used.append(f"{given.book}|{identity}")
        for known in (self.seen[each] for each in used if each in self.seen):
            repeated = known.content == content
            self.seen.setdefault(used[0], Seen(content, known.decision if repeated else given.place))
            return Verdict(DUPLICATE) if repeated else refused("other_content_under_this_id")
        verdict = rules[given.name](self, given)
        remembered = used[:1] if verdict.outcome == REFUSED else used  # what was refused may be asked for again
        self.seen.update(dict.fromkeys(remembered, Seen(content, given.place)))
        return verdict


Rule = Callable[[Model, Input], Verdict]


IDENTITIES = {
    "DepositBudget": ("deposit", "deposit_id"), "BillingPayment": ("payment", "payment_id"),
    "DepositReceived": ("payment", "payment_id"), "DepositReturned": ("payment", "payment_id"),
    "DealConcluded": ("version", "version"), "LotPriceChanged": ("version", "version"),
    "LotWinnerChanged": ("version", "version"),
    "BillingDone": ("answer", "call_id"), "BillingRefused": ("answer", "call_id"),
    "MatchPayment": ("match", "match_id"),
    "CreditPrisoner": ("credit", "credit_id"), "MoveBetweenSubAccounts": ("transfer", "transfer_id"),
    "RefundPurchase": ("refund", "refund_id"), "WriteOffAdvance": ("write-off", "advance_id"),
    "CorrectLines": ("correction", "correction_id"),
}  # fmt: skip
"""What upstream may do once only, under whichever event id: the word and the field that name it."""


def _identity(given: Input) -> str | None:
    fields = given.fields
    if given.name in ("LinesProcessed", "LinesRefused"):
        verb = given.name.removeprefix("Lines").lower()
        return f"lines-{verb}:{fields['transaction_id']}:{fields['file']}"
    if given.name not in IDENTITIES:
        return None
    word, field_name = IDENTITIES[given.name]
    return f"{word}:{fields[field_name]}"
