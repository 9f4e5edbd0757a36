ALTER PUBLICATION millrace_reference DROP TABLE reference.deposit_tiers;
DROP TABLE reference.deposit_tiers;
DROP FUNCTION reference.bound_deposit_tiers();
