-- The payments that wait in suspense, column for field of ProjectedSuspense; one that waits no more is gone (DLR-06).

CREATE TABLE projection.suspense (
    id text PRIMARY KEY,
    payment_id text NOT NULL,
    dealer_id text NOT NULL,
    bill_id text NOT NULL,
    named text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL
);

CREATE INDEX suspense_of_a_dealer ON projection.suspense (dealer_id);

-- A dealer may be registered later than his money comes. `bill_state` is null while our books do not know the bill.
CREATE VIEW analysis.suspense AS
SELECT
    suspense.payment_id, suspense.dealer_id, dealers.cme_client_id, suspense.bill_id, suspense.named,
    suspense.amount_minor, suspense.currency, bill.state AS bill_state, bill.currency AS bill_currency
FROM projection.suspense
LEFT JOIN projection.dealers ON dealers.id = 'dealer:' || suspense.dealer_id
LEFT JOIN projection.bill ON bill.id = 'dealer:' || suspense.dealer_id || '|' || suspense.bill_id;
