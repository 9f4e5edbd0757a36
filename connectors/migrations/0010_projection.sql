-- Where the JDBC sinks land the projection messages of schemas/ledger.py, column for field (PIPE-07).
-- Moments are whole microseconds since 1970 UTC, as they are on the wire; people read the views in `analysis`.

CREATE SCHEMA projection;

CREATE TABLE projection.balances (
    id text PRIMARY KEY,
    book text NOT NULL,
    account text NOT NULL,
    currency text NOT NULL,
    side text NOT NULL,
    debits_posted bigint NOT NULL,
    credits_posted bigint NOT NULL,
    debits_pending bigint NOT NULL,
    credits_pending bigint NOT NULL,
    balance_minor bigint NOT NULL,
    available_minor bigint NOT NULL,
    entries bigint NOT NULL,
    lots bigint NOT NULL
);

CREATE TABLE projection.open_locks (
    id text PRIMARY KEY,
    book text NOT NULL,
    lock_id text NOT NULL,
    debit text NOT NULL,
    credit text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    deadline bigint
);

CREATE TABLE projection.statement_lines (
    id text PRIMARY KEY,
    book text NOT NULL,
    account text NOT NULL,
    currency text NOT NULL,
    number bigint NOT NULL,
    amount_minor bigint NOT NULL,
    balance_minor bigint NOT NULL,
    counter_account text NOT NULL,
    text text NOT NULL,
    decision_id text NOT NULL,
    correlation_id text NOT NULL,
    actor text NOT NULL,
    effective_at bigint NOT NULL,
    recorded_at bigint NOT NULL
);
