-- What each vehicle cost at any past time (MOB-03), whichever table the change came from.

CREATE TABLE reference.vehicle_price_history (
    LIKE reference.vehicle_prices,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz,
    CHECK (valid_from <= valid_to)
);

CREATE UNIQUE INDEX one_present_price_per_vehicle ON reference.vehicle_price_history (vehicle_id)
WHERE valid_to IS NULL;
CREATE INDEX price_history_of_a_vehicle ON reference.vehicle_price_history (vehicle_id, valid_from);

-- The clock is read when the row is locked, not when its transaction began: entries follow in the order of the changes.
CREATE FUNCTION reference.remember_price() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz;
BEGIN
    UPDATE reference.vehicle_price_history SET valid_to = greatest(valid_from, clock_timestamp())
    WHERE vehicle_id = OLD.vehicle_id AND valid_to IS NULL
    RETURNING valid_to INTO moment;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO reference.vehicle_price_history SELECT NEW.*, coalesce(moment, clock_timestamp());
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER prices_are_remembered AFTER INSERT OR UPDATE OR DELETE ON reference.vehicle_prices
FOR EACH ROW EXECUTE FUNCTION reference.remember_price();

CREATE FUNCTION reference.price_at(of_vehicle text, moment timestamptz)
RETURNS SETOF reference.vehicle_price_history LANGUAGE sql STABLE AS $$
    SELECT * FROM reference.vehicle_price_history
    WHERE vehicle_id = of_vehicle AND valid_from <= moment AND (valid_to IS NULL OR moment < valid_to)
$$;
