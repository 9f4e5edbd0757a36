"""Prison finance: prisoners' sub-accounts, purchases out of them, and their general-ledger lines."""
