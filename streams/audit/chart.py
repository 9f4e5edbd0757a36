"""What the auditor knows of accounts by itself, from docs and requirements and not from the ledger's own charts.

It speaks of kinds: `group` is the kind of the book `group:riverside`, `trips` that of the account `trips/msp-7`.
"""

NEVER_OVERDRAWN: dict[str, dict[str, str]] = {
    "group": {"wallet": "credit"},  # MOB-15: a wallet pays what it has, the card the rest
    # DLR-06: a bill is not overpaid; DLR-08: no more of a deposit is returned than there is
    "dealer": {"receivable": "debit", "current": "credit", "suspense": "credit"},
    "prisoner": {  # PRI-02: fails if spends do not suffice; PRI-12: no more is repaid than is owed
        "cash": "credit",
        "spends": "credit",
        "savings": "credit",
        "owed": "debit",
        "written_off": "debit",
    },
}
"""Accounts whose available balance never falls below zero, with the side on which they grow."""

HAVE_STATEMENTS: dict[str, frozenset[str]] = {
    "group": frozenset({"wallet", "rider", "expired"}),  # MOB-22
    "dealer": frozenset({"current"}),
    "prisoner": frozenset({"cash", "spends", "savings"}),  # PRI-01
}
"""Accounts of which the book's owner gets a statement."""

TAKES_EXPIRED_LOTS = frozenset({"expired"})
"""Where the remainder of an expired lot goes (MOB-09): nothing else is paid with it, and nothing else goes there."""


def kind_of_book(book: str) -> str:
    """`group` of `group:riverside`."""
    return book.partition(":")[0]


def kind_of_account(account: str) -> str:
    """`trips` of `trips/msp-7`."""
    return account.partition("/")[0]


def side_never_overdrawn(book: str, account: str) -> str | None:
    """The side on which an account grows that may not be overdrawn; None for an account that may."""
    return NEVER_OVERDRAWN.get(kind_of_book(book), {}).get(kind_of_account(account))


def has_statement(book: str, account: str) -> bool:
    """Whether the account's owner gets a statement of it."""
    return kind_of_account(account) in HAVE_STATEMENTS.get(kind_of_book(book), ())
