"""Upstream's stories of prisoners: money comes in, purchases in every flow, and what becomes of them."""

import random
from collections import deque
from collections.abc import Callable

from tests.torture.events import ADVANCES, BATCHES, CREDITS, PURCHASES, Event, Fields
from tests.torture.facts import Facts

HOUR_US = 3_600_000_000
STRANGER = "A9999ZZ"
FUNDING: tuple[list[str], ...] = (
    ["spends"], ["cash"], ["spends", "cash"], ["advance"], ["spends", "cash", "advance"], ["cash", "advance"],
)  # fmt: skip
FUNDING_WEIGHTS = (10, 3, 4, 1, 2, 1)


class Canteen:
    """`tellers` are the stories, with how often each is told."""

    def __init__(self, dice: random.Random, facts: Facts, new_id: Callable[[str], str]) -> None:
        self._dice, self._facts, self._new_id = dice, facts, new_id
        self._purchases, self._batches = deque[Fields](), deque[Fields]()
        self._paid_for: deque[Fields] = deque(maxlen=200)
        self._given_back: deque[Fields] = deque(maxlen=10)
        self.tellers: list[tuple[int, Callable[[], Event]]] = [
            (12, self.credit), (3, self.move), (14, self.submit), (13, self.decide), (3, self.afterwards),
            (3, self.batch), (4, self.decide_batch),
        ]  # fmt: skip

    def credit(self) -> Event:
        """Money from home."""
        prisoner, credit_id = self._prisoner(), self._new_id("crd")
        fields = {"credit_id": credit_id, "prisoner_id": prisoner, "amount": self._pounds(100, 2_500),
                  "sub_account": self._dice.choice(("cash", "spends", "spends", "savings")),
                  "description": "Money from home"}  # fmt: skip
        return Event(CREDITS, "CreditPrisoner", f"prisoner:{prisoner}", credit_id, fields)

    def move(self) -> Event:
        """Cash to spends."""
        prisoner, transfer_id = self._prisoner(), self._new_id("mov")
        fields = {"transfer_id": transfer_id, "prisoner_id": prisoner, "source": "cash", "target": "spends",
                  "amount": self._pounds(50, 3_000), "description": "Cash to spends"}  # fmt: skip
        return Event(CREDITS, "MoveBetweenSubAccounts", f"prisoner:{prisoner}", transfer_id, fields)

    def submit(self) -> Event:
        """A purchase in one of the flows, to one supplier or two."""
        fields = self._purchase(self._prisoner())
        self._purchases.append(_known(fields))
        key = f"prisoner:{fields['prisoner_id']}"
        return Event(PURCHASES, "SubmitPurchase", key, f"{fields['purchase_id']}-submit", fields)

    def _purchase(self, prisoner: str) -> Fields:
        dice, purchase_id = self._dice, self._new_id("CAN")
        (funding,) = dice.choices(FUNDING, FUNDING_WEIGHTS)
        suppliers = dice.sample(self._facts.suppliers, dice.choice((1, 1, 2))) if dice.random() > 0.01 else ["ACME"]
        most = 900 if len(funding) == 1 else 2_000
        payments: list[Fields] = [{"supplier_id": each, "amount": self._pounds(50, most)} for each in suppliers]
        total = {"amount_minor": sum(each["amount"]["amount_minor"] for each in payments), "currency": "GBP"}
        return {"purchase_id": purchase_id, "prisoner_id": prisoner, "payments": payments, "total": total,
                "funding": funding, "description": "Canteen",
                "approval": self._approval(prisoner) if "advance" in funding else None,
                "receipt_to": None}  # fmt: skip

    def _approval(self, prisoner: str) -> Fields:
        if self._dice.random() < 0.4:
            circumstance = self._dice.choice((*self._facts.policy.circumstances, "birthday"))
            return {"approved_by": None, "circumstance": circumstance}
        return {"approved_by": self._officer(prisoner), "circumstance": None}

    def _officer(self, prisoner: str) -> str:
        """Mostly one of the prisoner's prison."""
        if self._dice.random() < 0.1:
            return self._dice.choice((*self._facts.officers, "nobody"))
        prison = self._facts.prison_of.get(prisoner)
        return self._dice.choice([each for each, (of, *_) in self._facts.officers.items() if prison in (of, None)])

    def decide(self) -> Event:
        """A purchase is authorised, cancelled, or left to time out."""
        if len(self._purchases) < 10:
            return self.submit()
        purchase, fate = self._purchases.popleft(), self._dice.random()
        ids = {name: purchase[name] for name in ("purchase_id", "prisoner_id")}
        key, purchase_id = f"prisoner:{ids['prisoner_id']}", ids["purchase_id"]
        if fate < 0.06:  # left to time out
            return self.submit()
        if fate < 0.14:
            return Event(PURCHASES, "CancelPurchase", key, f"{purchase_id}-off", {**ids, "reason": "out-of-stock"})
        self._paid_for.append(purchase)
        age_us = self._dice.randrange(10 * 24) * HOUR_US if purchase["lent"] else 0  # so that instalments are due
        return Event(PURCHASES, "AuthorisePurchase", key, f"{purchase_id}-auth", ids, age_us)

    def batch(self) -> Event:
        """Purchases of several people, at times with a stranger among them; some are decided by their people."""
        dice, batch_id = self._dice, self._new_id("BAT")
        people = self._facts.prisoners
        chosen = dice.sample(people, min(len(people), dice.choice((1, 2, 2, 3, 4, 5, 12))))
        purchases = [self._purchase(each) for each in (*chosen, *([STRANGER] if dice.random() < 0.15 else ()))]
        self._batches.append({"batch_id": batch_id, "purchases": [_known(each) for each in purchases]})
        if dice.random() < 0.15:
            self._purchases.append(_known(dice.choice(purchases)))
        fields = {"batch_id": batch_id, "purchases": purchases}
        return Event(BATCHES, "SubmitBatch", f"batch:{batch_id}", f"{batch_id}-submit", fields)

    def decide_batch(self) -> Event:
        """A batch is authorised, cancelled, or left to time out."""
        if len(self._batches) < 5:
            return self.batch()
        batch, fate = self._batches.popleft(), self._dice.random()
        batch_id, key = batch["batch_id"], f"batch:{batch['batch_id']}"
        if fate < 0.06:  # left to time out
            return self.batch()
        if fate < 0.16:
            fields = {"batch_id": batch_id, "reason": "no-delivery"}
            return Event(BATCHES, "CancelBatch", key, f"{batch_id}-off", fields)
        self._paid_for.extend(batch["purchases"])
        age_us = self._dice.choice((0, 0, self._dice.randrange(10 * 24) * HOUR_US))
        return Event(BATCHES, "AuthoriseBatch", key, f"{batch_id}-auth", {"batch_id": batch_id}, age_us)

    def afterwards(self) -> Event:
        """A refund, or a write-off: of what was paid, or was refused, or is pending."""
        if not self._paid_for:
            return self.decide()
        purchase = max(self._dice.sample(self._paid_for, min(2, len(self._paid_for))), key=lambda each: each["lent"])
        purchase_id, prisoner = purchase["purchase_id"], purchase["prisoner_id"]
        key = f"prisoner:{prisoner}"
        if purchase["lent"] and self._dice.random() < 0.5:
            fields = {"advance_id": purchase_id, "prisoner_id": prisoner, "written_off_by": self._officer(prisoner),
                      "reason": "Released"}  # fmt: skip
            return Event(ADVANCES, "WriteOffAdvance", key, self._new_id("wro"), fields)
        return self._refund(purchase)

    def _refund(self, purchase: Fields) -> Event:
        """Of a purchase that was paid, or of one of the last that were refunded before."""
        if self._given_back and self._dice.random() < 0.5:
            purchase = self._dice.choice(self._given_back)
        else:
            self._given_back.append(purchase)
        purchase_id, prisoner = purchase["purchase_id"], purchase["prisoner_id"]
        refund_id, key = self._new_id("ref"), f"prisoner:{prisoner}"
        fields = {"refund_id": refund_id, "purchase_id": purchase_id, "prisoner_id": prisoner, "reason": "Spoilt",
                  "payments": [self._part_of(each) for each in self._dice.choice((purchase["payments"], []))],
                  }  # fmt: skip
        return Event(PURCHASES, "RefundPurchase", key, refund_id, fields)

    def _part_of(self, payment: Fields) -> Fields:
        whole = payment["amount"]["amount_minor"]
        wanted = self._dice.choice((whole, whole // 2, whole // 3, whole + 1))
        return {**payment, "amount": {"amount_minor": max(1, wanted), "currency": "GBP"}}

    def _prisoner(self) -> str:
        return self._dice.choice(self._facts.prisoners) if self._dice.random() > 0.01 else STRANGER

    def _pounds(self, low: int, high: int) -> Fields:
        return {"amount_minor": self._dice.randrange(low, high), "currency": "GBP"}


def _known(purchase: Fields) -> Fields:
    """What is remembered of a purchase for what comes after it."""
    ids = {name: purchase[name] for name in ("purchase_id", "prisoner_id", "payments")}
    return {**ids, "lent": "advance" in purchase["funding"]}
