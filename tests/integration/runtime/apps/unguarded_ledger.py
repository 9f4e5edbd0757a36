"""The ledger app without its guard against late requests: no transaction is ever taken for doubtful."""

from ledger import app

from streams.runtime.transaction import Doubt


def trust(_doubt: Doubt, _reason: str) -> None:
    """Nothing is remembered."""


if __name__ == "__main__":
    Doubt.add = trust  # type: ignore[method-assign]
    app.main()
