"""ADI: the general-ledger lines of an accounting day as journal files for the finance system (PRI-11)."""
