"""What a journal line does to the two accounts and the lock that it names: the tables are a fold of these (PIPE-09)."""

from msgspec.structs import replace

from schemas.ledger import JournalLine, Step
from streams.ledger import lots
from streams.ledger.accounts import Balance
from streams.ledger.locks import Lock


def evolve_debited(balance: Balance, line: JournalLine) -> Balance:
    """The debit account after a line."""
    amount = line.amount_minor
    match line.step:
        case Step.POSTED:
            return replace(
                balance,
                debits_posted=balance.debits_posted + amount,
                entries=balance.entries + 1,
                lots=lots.spent(balance.lots, line.spent),
            )
        case Step.LOCKED:
            return replace(
                balance,
                debits_pending=balance.debits_pending + amount,
                lots=lots.locked(balance.lots, line.spent),
            )
        case Step.SETTLED:
            return replace(
                balance,
                debits_pending=balance.debits_pending - amount,
                debits_posted=balance.debits_posted + amount,
                entries=balance.entries + 1,
                lots=lots.settled(balance.lots, line.spent),
            )
        case Step.VOIDED | Step.EXPIRED:
            return replace(
                balance,
                debits_pending=balance.debits_pending - amount,
                lots=lots.unlocked(balance.lots, line.spent),
            )


def evolve_credited(balance: Balance, line: JournalLine) -> Balance:
    """The credit account after a line."""
    amount = line.amount_minor
    match line.step:
        case Step.POSTED:
            return replace(
                balance,
                credits_posted=balance.credits_posted + amount,
                entries=balance.entries + 1,
                lots=balance.lots if line.opened is None else lots.opened(balance.lots, line.opened),
            )
        case Step.LOCKED:
            return replace(balance, credits_pending=balance.credits_pending + amount)
        case Step.SETTLED:
            return replace(
                balance,
                credits_pending=balance.credits_pending - amount,
                credits_posted=balance.credits_posted + amount,
                entries=balance.entries + 1,
            )
        case Step.VOIDED | Step.EXPIRED:
            return replace(balance, credits_pending=balance.credits_pending - amount)


def evolve_lock(lock: Lock | None, line: JournalLine) -> Lock | None:
    """A lock after a line that names it; None when nothing of it is left."""
    if line.step is Step.LOCKED:
        assert lock is None, f"line opens lock {line.lock_id}, which is open"
        return Lock(line.debit, line.credit, line.amount_minor, line.currency, line.deadline, line.spent)
    assert lock is not None, f"line ends lock {line.lock_id}, which is not open"
    left = lock.amount_minor - line.amount_minor
    assert left >= 0, f"lock {line.lock_id} would hold {left}"
    if not left:
        return None
    _, rest = lots.split(lock.parts, line.amount_minor)
    return replace(lock, amount_minor=left, parts=rest)
