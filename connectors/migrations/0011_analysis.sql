-- What analysts read: the projections with moments as moments. Amounts stay whole minor units of the currency beside them.

CREATE SCHEMA analysis;

-- Exact, unlike to_timestamp(), which goes through a double. Microseconds do not depend on a zone: it is immutable.
CREATE FUNCTION projection.moment(micros bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT timestamptz '1970-01-01 00:00:00+00' + micros * interval '1 microsecond'
$$;

CREATE INDEX balances_of_a_book ON projection.balances (book);
CREATE INDEX balances_of_an_account ON projection.balances (account);
CREATE INDEX locks_of_a_book ON projection.open_locks (book);
CREATE INDEX locks_by_deadline ON projection.open_locks (projection.moment(deadline));
CREATE INDEX statement_of_a_book ON projection.statement_lines (book, projection.moment(effective_at));
CREATE INDEX statement_of_an_account ON projection.statement_lines (account, projection.moment(effective_at));

CREATE VIEW analysis.balances AS
SELECT
    split_part(book, ':', 1) AS room, book, account, currency, side, balance_minor, available_minor,
    debits_posted, credits_posted, debits_pending, credits_pending, entries, lots
FROM projection.balances;

CREATE VIEW analysis.open_locks AS
SELECT
    split_part(book, ':', 1) AS room, book, lock_id, debit, credit, amount_minor, currency,
    projection.moment(deadline) AS deadline
FROM projection.open_locks;

CREATE VIEW analysis.statement AS
SELECT
    split_part(book, ':', 1) AS room, book, account, number,
    projection.moment(effective_at) AS effective_at, projection.moment(recorded_at) AS recorded_at,
    amount_minor, balance_minor, currency, counter_account, text, decision_id, correlation_id, actor
FROM projection.statement_lines;
