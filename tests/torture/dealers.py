"""Upstream's stories of dealers: they register, move, are billed, pay, deposit, and somebody puts it right."""

import random
from collections import deque
from collections.abc import Callable
from typing import Any

from tests.torture.events import BILLS, CORRECTED_BILLS, DEALERS, PAYMENTS, Event, Fields
from tests.torture.facts import Facts

STRANGER = "dlr-unknown"
FIRST_BILLS = 5
"""So many bills are known before one is paid."""


DEPOSITED = (5_000, 5_000, 10_000, 40_000)
"""Whose sums are at what opens a price segment, below it and above it."""


class Dealers:
    """`tellers` are the stories, with how often each is told."""

    def __init__(self, dice: random.Random, facts: Facts, new_id: Callable[[str], str]) -> None:
        self._dice, self._facts, self._new_id = dice, facts, new_id
        late = facts.dealers[3::4]
        self._unregistered = deque(
            each for dealer in facts.dealers if dealer not in late for each in (self._register(dealer), dealer)
        )
        self._late = deque(each for dealer in late for each in (self._register(dealer), dealer))
        self._bills = deque[Fields]()
        self._lost: deque[Fields] = deque(maxlen=50)
        self._paid_ids: deque[tuple[str, str]] = deque(maxlen=50)
        self._billed: deque[Fields] = deque(maxlen=100)
        self.tellers: list[tuple[int, Callable[[], Event]]] = [
            (5, self.bill), (6, self.pay), (1, self.correct), (1, self.match), (1, self.move),
            (4, self.deposit), (1, self.come_late),
        ]  # fmt: skip

    def bill(self) -> Event:
        """A bill, or its payment first; before all else most dealers register."""
        if self._unregistered:
            return self._registered(self._unregistered)
        dealer = self._dealer()
        bill_id, amount = self._new_id("bil"), self._money(self._dice.randrange(1_000, 90_000))
        operation = self._dice.choice(("GET_REWARD", "GET_SETTLEMENT"))
        fields: Fields = {"bill_id": bill_id, "dealer_id": dealer, "operation": operation, "amount": amount,
                          "text": "A car"}  # fmt: skip
        billed = Event(BILLS, "CreateBill", f"dealer:{dealer}", bill_id, fields)
        self._bills.append({**fields, "event": billed})
        self._billed.append(fields)
        if self._dice.random() < 0.1:  # its payment comes first
            self._bills[-1]["late"] = True
            return self._paid(fields)
        return billed

    def pay(self) -> Event:
        """A payment of a bill: a part, the whole, more; or of a bill that nobody knows; or of the wrong dealer."""
        if len(self._bills) < FIRST_BILLS:
            return self.bill()
        bill = self._bills.popleft()
        return bill["event"] if "late" in bill else self._paid(bill)

    def correct(self) -> Event:
        """A bill is voided, or another takes its place."""
        if not self._billed:
            return self.bill()
        bill = self._dice.choice(self._billed)
        ids = {"bill_id": bill["bill_id"], "dealer_id": bill["dealer_id"], "reason": "not so"}
        key, event_id = f"dealer:{bill['dealer_id']}", self._new_id("cor")
        if self._dice.random() < 0.4:
            return Event(CORRECTED_BILLS, "VoidBill", key, event_id, ids)
        amount = self._money(self._dice.randrange(1_000, 90_000), self._dice.choice(("EUR",) * 9 + ("USD",)))
        successor = {**bill, "bill_id": self._new_id("bil"), "amount": amount}
        self._billed.append(successor)
        fields = {**ids, "successor_id": successor["bill_id"], "amount": amount}
        return Event(CORRECTED_BILLS, "CorrectBill", key, event_id, fields)

    def match(self) -> Event:
        """A payment that went astray is matched with the bill that was meant, be it another dealer's."""
        if not self._lost:
            return self.pay()
        fields = {**self._lost.popleft(), "match_id": self._new_id("mat")}
        return Event(CORRECTED_BILLS, "MatchPayment", f"dealer:{fields['dealer_id']}", fields["match_id"], fields)

    def move(self) -> Event:
        """A dealer's requisites change."""
        dealer = self._dealer()
        fields = {"dealer_id": dealer, "requisites": self._requisites()}
        return Event(DEALERS, "UpdateRequisites", f"dealer:{dealer}", self._new_id("req"), fields)

    def come_late(self) -> Event:
        """A dealer registers, or wants fast buyout, of whom much has been said already."""
        return self._registered(self._late) if self._late else self.move()

    def deposit(self) -> Event:
        """A deposit grows, or shrinks, at times by more than there is; some under the id of a bill's payment."""
        dice, dealer, payment_id = self._dice, self._dealer(), self._new_id("dps")
        if dice.random() < 0.05 and self._paid_ids:
            payment_id, dealer = dice.choice(self._paid_ids)
        name = "DepositReceived" if dice.random() < 0.4 else "DepositReturned"
        amount = self._money(dice.choice(DEPOSITED), dice.choice(("EUR",) * 6 + ("USD",)))
        fields = {"payment_id": payment_id, "dealer_id": dealer, "amount": amount}
        return Event(PAYMENTS, name, f"dealer:{dealer}", f"{payment_id}-{name}", fields)

    def _registered(self, among: deque[Any]) -> Event:
        following = among.popleft()
        return following if isinstance(following, Event) else self._buyout(following)

    def _paid(self, bill: Fields) -> Event:
        payment_id, dealer, due = self._new_id("pay"), bill["dealer_id"], bill["amount"]["amount_minor"]
        named, reported, fate = bill["bill_id"], dealer, self._dice.random()
        if fate < 0.1:
            named = f"{named}-oh"
        elif fate < 0.2:
            reported = self._dealer()
        if fate < 0.2:
            other = dealer if reported != dealer else None
            self._lost.append({"dealer_id": reported, "payment_id": payment_id, "bill_id": bill["bill_id"],
                               "bill_dealer_id": other})  # fmt: skip
        amount = self._money(
            self._dice.choice((due, due, due + 500, due // 2)), self._dice.choice(("EUR",) * 19 + ("USD",))
        )
        self._paid_ids.append((payment_id, reported))
        fields = {"payment_id": payment_id, "dealer_id": reported, "bill_id": named, "amount": amount}
        return Event(PAYMENTS, "BillingPayment", f"dealer:{reported}", payment_id, fields)

    def _register(self, dealer: str) -> Event:
        fields = {"dealer_id": dealer, "cme_dealer_id": f"cme-{dealer}", "requisites": self._requisites()}
        return Event(DEALERS, "RegisterDealer", f"dealer:{dealer}", f"{dealer}-register", fields)

    def _buyout(self, dealer: str) -> Event:
        return Event(DEALERS, "AddFastBuyout", f"dealer:{dealer}", f"{dealer}-buyout", {"dealer_id": dealer})

    def _requisites(self) -> Fields:
        return {"legal_name": "Anvil Motors", "tax_number": "7701234567", "bank_code": "044525225",
                "legal_address": f"{self._dice.randrange(1, 10**6)} Forge Road",
                "bank_account": "40702810900000000001", "email": None, "phone": None}  # fmt: skip

    def _dealer(self) -> str:
        return self._dice.choice(self._facts.dealers) if self._dice.random() > 0.01 else STRANGER

    def _money(self, amount_minor: int, currency: str = "EUR") -> Fields:
        return {"amount_minor": amount_minor, "currency": currency}
