ALTER PUBLICATION millrace_reference DROP TABLE reference.commission_rates, reference.commission_policies;
DROP TABLE reference.commission_policies;
DROP FUNCTION reference.check_zone();
DROP TABLE reference.commission_rates;
DROP FUNCTION reference.number_commission_rate();
