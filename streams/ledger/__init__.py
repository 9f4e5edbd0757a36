"""The ledger, pure: accounts and double entry, lots, locks, limits. Every room's money goes through `Draft`."""

if not __debug__:
    raise RuntimeError("the ledger's assertions stop a faulty worker before it commits: run without -O")
