"""The ledger, pure: accounts and double entry, lots, locks, limits. Every room's money goes through `Draft`."""
