CREATE OR REPLACE FUNCTION reference.bound_deposit_tiers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM reference.deposit_tiers) > 100 THEN
        RAISE EXCEPTION 'there are 100 deposit tiers: delete one first' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;
