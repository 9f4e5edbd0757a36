-- Dealers who accepted the offer. Their legal details stay here: CDC does not publish them.

CREATE TABLE reference.dealers (
    dealer_id reference.identifier PRIMARY KEY,
    cme_dealer_id reference.identifier NOT NULL UNIQUE CHECK (length(cme_dealer_id) <= 64),
    name reference.label NOT NULL,
    requisite bytea
);

COMMENT ON COLUMN reference.dealers.requisite IS 'the dealer''s legal and bank details, encrypted by their writer';
