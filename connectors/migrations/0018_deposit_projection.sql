-- The price segments that dealers' deposits open, column for field of ProjectedDeposit (DLR-08).

CREATE TABLE projection.deposits (
    id text PRIMARY KEY,
    dealer_id text NOT NULL,
    segments text NOT NULL
);

CREATE VIEW analysis.price_segments AS
SELECT
    id AS book, dealer_id, split_part(open_one, ' ', 1) AS currency, split_part(open_one, ' ', 2) AS segment
FROM projection.deposits CROSS JOIN unnest(string_to_array(segments, ', ')) AS open_one;
