"""A prisoner's book as the story's reader finds it: the real room decides, and its records are kept as they lie."""

from datetime import date

from schemas.fields import Message
from schemas.general_ledger import GeneralLedgerLine
from schemas.prison_finance import (
    AdvanceApproval,
    AuthorisePurchase,
    CreditPrisoner,
    FundingSource,
    SubAccount,
    SubmitPurchase,
)
from sinks.story.evidence import TOPICS, Book, Filed, Piece, Place, Sunk, book_of
from sinks.story.telling import Step, steps
from streams.prison_finance.room import PrisonFinance
from streams.processing import TOPIC_OF
from tests.rooms import PARTITION, Stage, Told
from tests.unit.prison_finance.partition import WHO, Partition, pounds, to_suppliers

CSV = "adi/2026-03-01/0210_SSCL_MR_01032026_LEI_MTP01.csv"
ADDRESS = "family@home.example"


class Shelf:
    """The topics of one partition, as far as a story reads them. Another prisoner, B1, is known as well."""

    def __init__(self) -> None:
        kept = Partition().kept
        kept.prisoners["B1"] = kept.prisoners[WHO].model_copy(update={"prisoner_id": "B1"})
        self.stage = Stage(lambda ledger: PrisonFinance(kept.tables, ledger), *kept)
        self.pieces: list[tuple[str, Piece]] = []
        self.wait(0)

    def send(self, message: Message, event_id: str | None = None) -> Told:
        """What upstream says, decided at once."""
        told = self.stage.send(message, id=event_id)
        topic = TOPIC_OF[type(message)]
        key = topic.key.of(message) if topic.key is not None else None
        self._keep(key, Piece(Place(topic.name, PARTITION, told.entry.cause_offset), message))
        return self._kept(told)

    def wait(self, micros: int) -> Told:
        """Time passes."""
        return self._kept(self.stage.wait(micros))

    def book(self, purchase_id: str, who: str = WHO) -> Book:
        """The story of a purchase, as far as the book knows it."""
        return book_of((piece for key, piece in self.pieces if key == f"prisoner:{who}"), purchase_id)

    def _kept(self, told: Told) -> Told:
        for sent in told.sent:
            key = None if sent.key is None else sent.key.decode()
            self._keep(key, Piece(self._next(sent.topic.name), sent.message, sent.headers or ()))
        return told

    def _next(self, topic: str) -> Place:
        return Place(topic, PARTITION, sum(piece.place.topic == topic for _, piece in self.pieces))

    def _keep(self, key: str | None, piece: Piece) -> None:
        if key is not None and piece.place.topic in {each.name for each in TOPICS}:
            self.pieces.append((key, piece))


def credit(amount: int, account: str = "spends", who: str = WHO, credit_id: str = "C1") -> CreditPrisoner:
    return CreditPrisoner(
        credit_id=credit_id, prisoner_id=who, sub_account=SubAccount(account), amount=pounds(amount), description="Wage"
    )


def order(purchase_id: str, payments: dict[str, int], funding: str = "spends", who: str = WHO) -> SubmitPurchase:
    return SubmitPurchase(
        purchase_id=purchase_id,
        prisoner_id=who,
        payments=to_suppliers(payments),
        total=pounds(sum(payments.values())),
        funding=tuple(FundingSource(source) for source in funding.split()),
        description="Canteen Spends",
        approval=AdvanceApproval(approved_by="governor") if "advance" in funding else None,
        receipt_to=ADDRESS,
    )


def authorise(purchase_id: str, who: str = WHO) -> AuthorisePurchase:
    return AuthorisePurchase(purchase_id=purchase_id, prisoner_id=who)


def filed(book: Book, transaction_id: str, **more: object) -> Filed:
    """The file of a transaction's first lines."""
    lines = tuple(
        event.message.line_id
        for decision in book.decisions
        for event in decision.events
        if isinstance(event.message, GeneralLedgerLine) and event.message.transaction_id == transaction_id
    )
    found = Filed(
        CSV, lines[:2], "LEI", date(2026, 3, 1), number=1, sha256="9f" * 32, stored=True, state=None, attempts=0,
        sent_at=None, answered_at=None, reference=None, problem=None,
    )  # fmt: skip
    return found._replace(**more)  # type: ignore[arg-type]


def told(shelf: Shelf, purchase_id: str, sunk: Sunk = Sunk(), who: str = WHO) -> list[Step]:  # noqa: B008
    return steps(shelf.book(purchase_id, who), sunk, purchase_id)


def titles(story: list[Step]) -> list[str]:
    return [step.title for step in story]


def bought(payments: dict[str, int] | None = None) -> Shelf:
    """Purchase P1 out of 100 pence of spends, submitted and authorised."""
    shelf = Shelf()
    shelf.send(credit(100))
    shelf.send(order("P1", payments or {"canteen": 30}))
    shelf.send(authorise("P1"))
    return shelf
