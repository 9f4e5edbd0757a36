-- Debezium reads these too. Rows that are there already reach the agents by a new snapshot: `remove`, then `apply`.

ALTER PUBLICATION millrace_reference ADD TABLE
reference.prisons,
reference.officers,
reference.gl_accounts;

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON reference.prisons
FOR EACH STATEMENT EXECUTE FUNCTION reference.refuse('the agents would not learn of a TRUNCATE: use DELETE');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON reference.officers
FOR EACH STATEMENT EXECUTE FUNCTION reference.refuse('the agents would not learn of a TRUNCATE: use DELETE');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON reference.gl_accounts
FOR EACH STATEMENT EXECUTE FUNCTION reference.refuse('the agents would not learn of a TRUNCATE: use DELETE');
