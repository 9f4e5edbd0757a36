-- What a prisoner may spend on purchases in one day, in pence; null is no limit.

ALTER TABLE reference.prisoners ADD COLUMN IF NOT EXISTS daily_limit_minor reference.minor_units;
