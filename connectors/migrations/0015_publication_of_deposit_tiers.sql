-- From which deposit on a dealer may bid in which price segment (DLR-08). Debezium reads it; rows that are typed in before
-- the source knows the table reach the agents by a new snapshot: `remove`, then `apply`.

CREATE TABLE reference.deposit_tiers (
    tier_id reference.identifier PRIMARY KEY,
    segment reference.identifier NOT NULL,
    currency reference.currency_code NOT NULL,
    from_minor reference.minor_units NOT NULL CHECK (from_minor > 0),
    CONSTRAINT a_segment_has_one_tier_in_a_currency UNIQUE (segment, currency)
);

-- A deposit is judged by all tiers at once, so that there are few.
CREATE FUNCTION reference.bound_deposit_tiers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM reference.deposit_tiers) > 100 THEN
        RAISE EXCEPTION 'there are 100 deposit tiers: delete one first' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER tiers_are_few AFTER INSERT ON reference.deposit_tiers
FOR EACH STATEMENT EXECUTE FUNCTION reference.bound_deposit_tiers();

ALTER PUBLICATION millrace_reference ADD TABLE
reference.deposit_tiers;

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON reference.deposit_tiers
FOR EACH STATEMENT EXECUTE FUNCTION reference.refuse('the agents would not learn of a TRUNCATE: use DELETE');
