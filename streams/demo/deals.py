"""What dealers owe of commission, and the price segments that are open, while the demo runs; by their events. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from schemas.dealer_deposits import PriceSegmentGranted, PriceSegmentRevoked
from schemas.fields import Fact
from schemas.lots import DealCharged, DealTakenBack


class Commission(NamedTuple):
    """Of a dealer's lots, in one currency and in minor units."""

    dealer_id: str
    currency: str
    lots: int
    commission_minor: int


class Segment(NamedTuple):
    """A price segment, and how many dealers may bid in it."""

    segment: str
    currency: str
    dealers: int


class Deals:
    """Every deal and every segment as of its last event."""

    def __init__(self) -> None:
        self._commission: dict[tuple[str, str], tuple[str, int]] = {}
        self._open: set[tuple[str, str, str]] = set()

    def take(self, event: Fact) -> None:
        """Note an event; one that is neither of a deal nor of a segment changes nothing."""
        match event:
            case DealCharged() if event.month is not None:
                self._commission[event.dealer_id, event.lot_id] = event.terms.price.currency, event.charged_minor
            case DealCharged() | DealTakenBack():
                self._commission.pop((event.dealer_id, event.lot_id), None)
            case PriceSegmentGranted():
                self._open.add((event.dealer_id, event.segment, event.currency))
            case PriceSegmentRevoked():
                self._open.discard((event.dealer_id, event.segment, event.currency))

    def commission(self) -> Iterator[Commission]:
        """By dealer, the most first."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for (dealer_id, _), (currency, minor) in self._commission.items():
            found[dealer_id, currency].append(minor)
        for (dealer_id, currency), minors in sorted(found.items(), key=lambda each: (-sum(each[1]), each[0])):
            yield Commission(dealer_id, currency, len(minors), sum(minors))

    def segments(self) -> Iterator[Segment]:
        """The one that most may bid in first."""
        found = Counter((segment, currency) for _, segment, currency in self._open)
        for (segment, currency), dealers in sorted(found.items(), key=lambda each: (-each[1], each[0])):
            yield Segment(segment, currency, dealers)
