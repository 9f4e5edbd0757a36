-- Fee schedules over sets of models (MOB-02), in versions that are never changed (MOB-03). A new price is a new version.

CREATE TABLE reference.fee_schedules (
    schedule_id reference.identifier PRIMARY KEY,
    msp_id reference.identifier NOT NULL REFERENCES reference.msps,
    name reference.label NOT NULL,
    UNIQUE (msp_id, schedule_id)
);

CREATE TABLE reference.fee_schedule_models (
    msp_id reference.identifier NOT NULL,
    model_id reference.identifier NOT NULL,
    schedule_id reference.identifier NOT NULL,
    CONSTRAINT a_model_is_in_one_fee_schedule PRIMARY KEY (msp_id, model_id),
    FOREIGN KEY (msp_id, model_id) REFERENCES reference.vehicle_models,
    FOREIGN KEY (msp_id, schedule_id) REFERENCES reference.fee_schedules (msp_id, schedule_id)
);

CREATE INDEX models_of_a_fee_schedule ON reference.fee_schedule_models (schedule_id);

CREATE TABLE reference.fee_schedule_versions (
    schedule_id reference.identifier NOT NULL REFERENCES reference.fee_schedules,
    version integer NOT NULL,
    currency reference.currency_code NOT NULL,
    unlock_minor reference.minor_units NOT NULL,
    per_minute_minor reference.rate NOT NULL,
    vat_rate reference.rate NOT NULL,
    published_at timestamptz NOT NULL,
    PRIMARY KEY (schedule_id, version),
    CONSTRAINT vat_rate_is_a_share_and_25_percent_is_0_25 CHECK (vat_rate < 1)
);

-- Prices follow from several tables. Whatever changes an operator's prices takes its turn here first, so that
-- two transactions never each miss what the other is about to commit.
CREATE FUNCTION reference.take_turn_in_pricing(operators reference.identifier []) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') = 'repeatable read' THEN
        RAISE EXCEPTION 'prices are not edited under REPEATABLE READ, which would not see the turn before: '
            'use READ COMMITTED or SERIALIZABLE' USING ERRCODE = 'active_sql_transaction';
    END IF;
    PERFORM FROM reference.msps WHERE msp_id = ANY (operators) ORDER BY msp_id FOR NO KEY UPDATE;
END
$$;

CREATE FUNCTION reference.number_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    next integer;
BEGIN
    PERFORM reference.take_turn_in_pricing(
        ARRAY(SELECT s.msp_id FROM reference.fee_schedules AS s WHERE s.schedule_id = NEW.schedule_id)
    );
    SELECT coalesce(max(v.version), 0) + 1 INTO next
    FROM reference.fee_schedule_versions AS v WHERE v.schedule_id = NEW.schedule_id;
    IF NEW.version <> next THEN
        RAISE EXCEPTION 'the next version of fee schedule % is %, not %', NEW.schedule_id, next, NEW.version
            USING ERRCODE = 'check_violation';
    END IF;
    NEW.version := next;
    NEW.published_at := clock_timestamp();
    RETURN NEW;
END
$$;

CREATE TRIGGER versions_are_numbered_without_gaps BEFORE INSERT ON reference.fee_schedule_versions
FOR EACH ROW EXECUTE FUNCTION reference.number_version();

CREATE TRIGGER versions_are_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON reference.fee_schedule_versions
FOR EACH STATEMENT EXECUTE FUNCTION reference.refuse(
    'versions of fee schedules are immutable: insert a new version instead'
);
