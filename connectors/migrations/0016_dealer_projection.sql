-- What a dealer's book says of dealers, accounts and bills, column for field of schemas/dealer_projections.py (DLR-10).
-- Which columns of the source they are is in docs/reference-database.md.

CREATE TABLE projection.dealers (
    id text PRIMARY KEY,
    dealer_id text NOT NULL,
    cme_client_id text NOT NULL,
    requisite bytea NOT NULL,
    version bigint NOT NULL
);

COMMENT ON COLUMN projection.dealers.requisite IS 'the dealer''s legal and bank details, as JSON; in no view and no log';

CREATE TABLE projection.accounts (
    id text PRIMARY KEY,
    dealer_id text NOT NULL,
    account_type text NOT NULL,
    state text NOT NULL,
    client_id text,
    payer_id text,
    contract_id text
);

CREATE TABLE projection.bill (
    id text PRIMARY KEY,
    bill_id text NOT NULL,
    dealer_id text NOT NULL,
    account_type text NOT NULL,
    common_sum_minor bigint NOT NULL,
    paid_sum_minor bigint NOT NULL,
    currency text NOT NULL,
    state text NOT NULL,
    url text,
    successor text
);

-- Not unique: reference data pairs the ids, and a pair that was mended there must not stop the sink.
CREATE INDEX dealers_of_cme ON projection.dealers (cme_client_id);
CREATE INDEX accounts_of_a_dealer ON projection.accounts (dealer_id);
CREATE INDEX bills_of_a_dealer ON projection.bill (dealer_id);
-- Paid bills stay for ever; those that are to be paid are found without them (DLR-07).
CREATE INDEX bills_to_pay ON projection.bill (dealer_id) WHERE state IN ('sent', 'part_paid');

-- Without the requisites: whoever reads `analysis` alone never sees them.
CREATE VIEW analysis.dealers AS
SELECT dealer_id, cme_client_id, version AS requisite_version FROM projection.dealers;

-- An account's current balance is money of the book, in each currency; one without money yet has a balance of nothing.
CREATE VIEW analysis.accounts AS
SELECT
    accounts.dealer_id, accounts.account_type, coalesce(balances.balance_minor, 0) AS current_balance_minor,
    balances.currency, accounts.state, accounts.client_id, accounts.payer_id, accounts.contract_id
FROM projection.accounts
LEFT JOIN projection.balances
    ON balances.book = 'dealer:' || accounts.dealer_id AND balances.account = 'current/' || accounts.account_type;

CREATE VIEW analysis.bill AS
SELECT
    bill_id, dealer_id, account_type, common_sum_minor, paid_sum_minor, currency, state, url, successor
FROM projection.bill;
