-- What each vehicle costs now, one row a vehicle: the message VehiclePrice, published by CDC without a join.
-- The row changes in the transaction that changes its cause: a version, a schedule's set of models, a vehicle, a model.

CREATE TABLE reference.vehicle_prices (
    vehicle_id reference.identifier PRIMARY KEY,
    msp_id reference.identifier NOT NULL,
    model_id reference.identifier NOT NULL,
    vehicle_type reference.identifier NOT NULL,
    schedule_id reference.identifier NOT NULL,
    version integer NOT NULL,
    currency reference.currency_code NOT NULL,
    unlock_minor reference.minor_units NOT NULL,
    per_minute_minor reference.rate NOT NULL,
    vat_rate reference.rate NOT NULL
);

CREATE VIEW reference.prices_by_schedule AS
SELECT
    vehicle.vehicle_id, vehicle.msp_id, vehicle.model_id, model.vehicle_type,
    latest.schedule_id, latest.version, latest.currency,
    latest.unlock_minor, latest.per_minute_minor, latest.vat_rate
FROM reference.vehicles AS vehicle
INNER JOIN reference.vehicle_models AS model USING (msp_id, model_id)
INNER JOIN reference.fee_schedule_models AS scheduled USING (msp_id, model_id)
CROSS JOIN LATERAL (
    SELECT * FROM reference.fee_schedule_versions AS version
    WHERE version.schedule_id = scheduled.schedule_id
    ORDER BY version.version DESC LIMIT 1
) AS latest;

CREATE FUNCTION reference.keep_prices(of_vehicles reference.identifier []) RETURNS void LANGUAGE sql AS $$
    DELETE FROM reference.vehicle_prices AS kept
    WHERE kept.vehicle_id = ANY (of_vehicles)
    AND NOT EXISTS (SELECT FROM reference.prices_by_schedule AS due WHERE due.vehicle_id = kept.vehicle_id);

    INSERT INTO reference.vehicle_prices AS kept
    SELECT * FROM reference.prices_by_schedule AS due WHERE due.vehicle_id = ANY (of_vehicles)
    ON CONFLICT (vehicle_id) DO UPDATE SET
        msp_id = excluded.msp_id, model_id = excluded.model_id, vehicle_type = excluded.vehicle_type,
        schedule_id = excluded.schedule_id, version = excluded.version, currency = excluded.currency,
        unlock_minor = excluded.unlock_minor, per_minute_minor = excluded.per_minute_minor,
        vat_rate = excluded.vat_rate
    WHERE kept IS DISTINCT FROM excluded;
$$;

CREATE FUNCTION reference.price_vehicle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reference.take_turn_in_pricing(ARRAY[OLD.msp_id, NEW.msp_id]);
    PERFORM reference.keep_prices(ARRAY[OLD.vehicle_id, NEW.vehicle_id]);
    RETURN NULL;
END
$$;

CREATE FUNCTION reference.price_model() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reference.take_turn_in_pricing(ARRAY[OLD.msp_id, NEW.msp_id]);
    PERFORM reference.keep_prices(ARRAY(
        SELECT vehicle.vehicle_id FROM reference.vehicles AS vehicle
        WHERE (vehicle.msp_id, vehicle.model_id) IN ((OLD.msp_id, OLD.model_id), (NEW.msp_id, NEW.model_id))
    ));
    RETURN NULL;
END
$$;

CREATE FUNCTION reference.price_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM reference.keep_prices(ARRAY(
        SELECT vehicle.vehicle_id FROM reference.vehicles AS vehicle
        INNER JOIN reference.fee_schedule_models AS scheduled USING (msp_id, model_id)
        WHERE scheduled.schedule_id = NEW.schedule_id
    ));
    RETURN NULL;
END
$$;

CREATE TRIGGER vehicles_are_priced AFTER INSERT OR UPDATE OR DELETE ON reference.vehicles
FOR EACH ROW EXECUTE FUNCTION reference.price_vehicle();
CREATE TRIGGER models_are_priced AFTER UPDATE ON reference.vehicle_models
FOR EACH ROW EXECUTE FUNCTION reference.price_model();
CREATE TRIGGER scheduled_models_are_priced AFTER INSERT OR UPDATE OR DELETE ON reference.fee_schedule_models
FOR EACH ROW EXECUTE FUNCTION reference.price_model();
CREATE TRIGGER versions_are_priced AFTER INSERT ON reference.fee_schedule_versions
FOR EACH ROW EXECUTE FUNCTION reference.price_version();

-- Row triggers do not see a TRUNCATE, so the causes of prices cannot be truncated either.
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON reference.vehicles
FOR EACH STATEMENT EXECUTE FUNCTION reference.refuse('prices follow from vehicles: use DELETE');
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON reference.fee_schedule_models
FOR EACH STATEMENT EXECUTE FUNCTION reference.refuse('prices follow from the sets of models: use DELETE');
CREATE TRIGGER prices_are_kept_by_triggers BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON reference.vehicle_prices
FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION reference.refuse(
    'vehicle_prices follows from the fee schedules: insert a version into fee_schedule_versions instead'
);
