"""A dealer's bill as the auditor folds it from its events: by the amounts that they move, not by the sums they tell."""

from dataclasses import dataclass


@dataclass(slots=True)
class Bill:
    """What its events make of a bill, in minor units."""

    dealer_id: str
    account: str
    currency: str
    common: int
    life: str = "draft"
    paid: int = 0
    surplus: int = 0
    url: str | None = None
    successor: str | None = None

    @property
    def state(self) -> str:
        """As analysts have it."""
        if self.life != "sent":
            return self.life
        if self.paid < self.common:
            return "part_paid" if self.paid else "sent"
        return "overpaid" if self.surplus else "paid"

    def end(self, life: str, successor: str | None = None) -> None:
        """It is taken back: nothing is paid of it any more."""
        self.life, self.successor, self.paid, self.surplus = life, successor, 0, 0
