-- What Debezium reads: the tables of connectors/tables.py, and of dealers only the columns that agents may see.
-- TRUNCATE is refused on them, because it would empty a table without a word to the agents.

CREATE PUBLICATION millrace_reference FOR TABLE
reference.vehicle_prices,
reference.group_members,
reference.dealers (dealer_id, cme_dealer_id, name),
reference.prisoners,
reference.suppliers
WITH (publish = 'insert, update, delete');

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON reference.group_members
FOR EACH STATEMENT EXECUTE FUNCTION reference.refuse('the agents would not learn of a TRUNCATE: use DELETE');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON reference.dealers
FOR EACH STATEMENT EXECUTE FUNCTION reference.refuse('the agents would not learn of a TRUNCATE: use DELETE');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON reference.prisoners
FOR EACH STATEMENT EXECUTE FUNCTION reference.refuse('the agents would not learn of a TRUNCATE: use DELETE');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON reference.suppliers
FOR EACH STATEMENT EXECUTE FUNCTION reference.refuse('the agents would not learn of a TRUNCATE: use DELETE');
