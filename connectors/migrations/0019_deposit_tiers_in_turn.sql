-- Whoever inserts tiers takes a turn and then counts, so that two insertions at the same moment do not pass the bound
-- together (DLR-08).

CREATE OR REPLACE FUNCTION reference.bound_deposit_tiers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') = 'repeatable read' THEN
        RAISE EXCEPTION 'deposit tiers are not inserted under REPEATABLE READ, which would not see the turn before: '
            'use READ COMMITTED or SERIALIZABLE' USING ERRCODE = 'active_sql_transaction';
    END IF;
    PERFORM pg_advisory_xact_lock('reference.deposit_tiers'::regclass::integer, 0);
    IF (SELECT count(*) FROM reference.deposit_tiers) > 100 THEN
        RAISE EXCEPTION 'there are 100 deposit tiers: delete one first' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;
