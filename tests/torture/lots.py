"""Lotus as upstream: what lots are sold for, and to whom, in versions that come in any order, twice, or never."""

import random
import time
from collections import deque
from collections.abc import Callable, Iterator

from tests.torture.events import BILLS, CORRECTED_BILLS, LOT_DEALS, Event, Fields
from tests.torture.facts import Facts

STRANGER = "dlr-unknown"
OPEN_LOTS = 30
"""So many lots have something to be said of them at any time, between each other."""
MOST_CHANGES = 5
MINUTE_US, HOUR_US, DAY_US = 60_000_000, 3_600_000_000, 24 * 3_600_000_000
MOST_DAYS_AGO = 700
"""How long ago deals were concluded: the months of most are over, and are billed at the next tick."""
DISORDER, GAP, AHEAD, TOO_EARLY = 0.15, 0.05, 0.04, 0.03
"""Shares of lots whose versions come in any order; of which a version never comes; whose upstream's clock is ahead; of
which the first thing said is said before it has happened, or is no deal."""


class Lots:
    """`tellers` are the stories, with how often each is told."""

    def __init__(self, dice: random.Random, facts: Facts, new_id: Callable[[str], str]) -> None:
        self._dice, self._facts, self._new_id = dice, facts, new_id
        self._open: list[deque[Event]] = []
        self._sold: deque[tuple[str, str]] = deque(maxlen=50)
        self.tellers: list[tuple[int, Callable[[], Event]]] = [(10, self.tell), (2, self.meddle)]

    def tell(self) -> Event:
        """The next thing that is said of some lot."""
        while len(self._open) < OPEN_LOTS:
            self._open.append(deque(self._lot()))
        lot = self._dice.choice(self._open)
        said = lot.popleft()
        if not lot:
            self._open.remove(lot)
        return said

    def meddle(self) -> Event:
        """Somebody makes, voids or corrects a bill that follows from lots."""
        if not self._sold:
            return self.tell()
        lot_id, dealer = self._dice.choice(self._sold)
        bill_id, key, event_id = f"lot:{lot_id}:1:1", f"dealer:{dealer}", self._new_id("mdl")
        fields: Fields = {"bill_id": bill_id, "dealer_id": dealer, "reason": "not so"}
        match self._dice.randrange(3):
            case 0:
                return Event(CORRECTED_BILLS, "VoidBill", key, event_id, fields)
            case 1:
                fields |= {"successor_id": f"{bill_id}-c", "amount": self._price("EUR")}
                return Event(CORRECTED_BILLS, "CorrectBill", key, event_id, fields)
            case _:
                fields = {"bill_id": self._dice.choice((bill_id, f"commission:{event_id}")), "dealer_id": dealer,
                          "operation": "GET_SETTLEMENT", "amount": self._price("EUR"), "text": "A car"}  # fmt: skip
                return Event(BILLS, "CreateBill", key, event_id, fields)

    def _lot(self) -> Iterator[Event]:
        """All that will be said of a lot."""
        lot_id, currency = self._new_id("lot"), self._currency()
        buyers = self._dice.sample(self._facts.dealers, 2)
        self._sold.append((lot_id, buyers[0]))
        concluded = self._concluded(lot_id, 1, buyers[0], currency)
        said = [concluded]
        for version in range(2, 2 + self._dice.randrange(MOST_CHANGES + 1)):
            said.append(self._change(said[-1], lot_id, version, self._dice.choice(buyers), currency))
        if self._dice.random() < GAP and len(said) > 1:
            del said[self._dice.randrange(1, len(said))]
        if self._dice.random() < DISORDER:
            self._dice.shuffle(said)
        if self._dice.random() < TOO_EARLY:
            late = {**concluded.fields, "concluded_at": now_us() + 7 * DAY_US}
            yield concluded._replace(event_id=f"{concluded.event_id}-early", fields=late)
        if self._dice.random() < TOO_EARLY:
            first = self._event("LotPriceChanged", {"lot_id": lot_id, "version": 1, "price": self._price(currency)})
            yield first._replace(event_id=f"{first.event_id}-first")
        yield from said

    def _change(self, before: Event, lot_id: str, version: int, dealer: str, currency: str) -> Event:
        fate, about = self._dice.random(), {"lot_id": lot_id, "version": version}
        if fate < 0.15:
            return self._concluded(lot_id, version, dealer, currency)
        if fate < 0.6:
            same = before.fields.get("price") if self._dice.random() < 0.1 else None
            return self._event("LotPriceChanged", {**about, "price": same or self._price(currency)})
        return self._event("LotWinnerChanged", {**about, "dealer_id": dealer})

    def _concluded(self, lot_id: str, version: int, dealer: str, currency: str) -> Event:
        dice, age_us = self._dice, 0
        concluded_at = now_us() - dice.randrange(dice.choice((2, MOST_DAYS_AGO))) * DAY_US
        if dice.random() < AHEAD:
            concluded_at, age_us = now_us() + 90 * MINUTE_US, -2 * HOUR_US
        fields = {"lot_id": lot_id, "version": version, "dealer_id": dealer if dice.random() > 0.01 else STRANGER,
                  "kind": dice.choice(("AUCTION", "AUCTION", "FAST_BUYOUT")), "price": self._price(currency),
                  "concluded_at": concluded_at}  # fmt: skip
        return self._event("DealConcluded", fields, age_us)

    def _event(self, name: str, fields: Fields, age_us: int = 0) -> Event:
        event_id = f"{fields['lot_id']}-v{fields['version']}"
        return Event(LOT_DEALS, name, f"lot:{fields['lot_id']}", event_id, fields, age_us)

    def _currency(self) -> str:
        return self._dice.choice(("EUR",) * 9 + ("USD",))

    def _price(self, currency: str) -> Fields:
        most = self._dice.choice((20, 900_000, 900_000))  # of the smallest there is no commission
        return {"amount_minor": self._dice.randrange(1, most), "currency": currency}


def now_us() -> int:
    """The machine's clock, in UTC micros."""
    return time.time_ns() // 1_000
