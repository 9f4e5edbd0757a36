"""Deposits and open price segments as dealers' books tell of them: the auditor's own fold (DLR-08)."""

from collections import Counter
from collections.abc import Iterator

from streams.audit.books import Books
from streams.audit.evidence import Row, Told
from streams.audit.findings import Finding, Kind

ACCOUNT = "current/DEPOSIT"


class Deposits:
    """Takes what dealers' books tell, each book's events in their order."""

    def __init__(self) -> None:
        self._deposits: Counter[str] = Counter()
        """By `book|account|currency`, in minor units."""
        self._segments: dict[str, set[tuple[str, str]]] = {}
        """Currency and name of each open one, by book."""

    def enter(self, told: Told) -> Iterator[Finding]:
        """Take one event. What it says that the deposit comes to is held to what the events before it have moved."""
        if told.name not in ("DepositChanged", "PriceSegmentGranted", "PriceSegmentRevoked"):
            return
        fields, book = told.fields, f"dealer:{told.fields['dealer_id']}"
        key, segments = f"{book}|{ACCOUNT}|{fields['currency']}", self._segments.setdefault(book, set())
        if told.name == "DepositChanged":
            self._deposits[key] += fields["change_minor"]
        else:
            segment = (fields["currency"], fields["segment"])
            if (segment in segments) is not (told.name == "PriceSegmentRevoked"):
                expected = "closed" if told.name == "PriceSegmentGranted" else "open"
                yield Finding(Kind.DEPOSITS_DIFFER, f"{key}, segment {segment[1]}", expected, told.name)
            segments ^= {segment}
            yield from _out_of_reach(key, told)
        if fields["deposit_minor"] != self._deposits[key]:
            yield Finding(Kind.DEPOSITS_DIFFER, key, str(self._deposits[key]), f"{fields['deposit_minor']} told")

    def rows(self) -> Iterator[tuple[str, Row]]:
        """What analysts should see of them."""
        for book, segments in self._segments.items():
            shown = ", ".join(" ".join(segment) for segment in sorted(segments))
            yield book, {"dealer_id": book.partition(":")[2], "segments": shown}

    def differing(self, books: Books) -> Iterator[Finding]:
        """What the events have moved is what the journal has on the accounts."""
        journal = {
            key: account.credits_posted - account.debits_posted
            for key, account in books.accounts.items()
            if account.name == ACCOUNT
        }
        for key in sorted(self._deposits.keys() | journal.keys()):
            if self._deposits[key] != journal.get(key, 0):
                expected = f"{journal.get(key, 0)}, as the journal"
                yield Finding(Kind.DEPOSITS_DIFFER, key, expected, str(self._deposits[key]))


def _out_of_reach(key: str, told: Told) -> Iterator[Finding]:
    """A segment opens where the deposit reaches its tier, and closes where it does not: by its event's own figures."""
    fields, is_granted = told.fields, told.name == "PriceSegmentGranted"
    deposit, start = fields["deposit_minor"], fields["from_minor"]
    if (start is not None and start <= deposit) is not is_granted:
        expected = f"{'at least' if is_granted else 'less than'} {start}"
        yield Finding(Kind.DEPOSITS_DIFFER, f"{key}, segment {fields['segment']}, {told.name}", expected, str(deposit))
