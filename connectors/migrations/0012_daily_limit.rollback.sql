ALTER TABLE reference.prisoners DROP COLUMN daily_limit_minor;
