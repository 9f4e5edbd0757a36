-- What dealer billing takes of auctions: the percentage, in versions that are never changed, and when it is billed.

CREATE TABLE reference.commission_rates (
    rate_id reference.identifier PRIMARY KEY,
    version integer NOT NULL UNIQUE,
    share reference.rate NOT NULL,
    valid_from reference.utc_micros NOT NULL,
    CONSTRAINT five_per_cent_is_0_05 CHECK (share < 1)
);

-- A deal has the rate that was valid when it was concluded, whenever it is told and however often its price changes. So
-- no version may change the past, nor the next hour, in which it is still on its way to the agents; but for the first.
CREATE FUNCTION reference.number_commission_rate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    latest reference.commission_rates;
BEGIN
    SELECT * INTO latest FROM reference.commission_rates ORDER BY version DESC LIMIT 1;
    IF NEW.version <> coalesce(latest.version, 0) + 1 THEN
        RAISE EXCEPTION 'the next version of the commission rate is %, not %',
            coalesce(latest.version, 0) + 1, NEW.version USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.version > 1 AND NEW.valid_from < reference.micros(clock_timestamp() + interval '1 hour') THEN
        RAISE EXCEPTION 'a commission rate is valid from an hour after it is typed in at the earliest'
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.valid_from <= latest.valid_from THEN
        RAISE EXCEPTION 'a commission rate is valid after the one before it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER rates_are_numbered_without_gaps BEFORE INSERT ON reference.commission_rates
FOR EACH ROW EXECUTE FUNCTION reference.number_commission_rate();
CREATE TRIGGER rates_are_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON reference.commission_rates
FOR EACH STATEMENT EXECUTE FUNCTION reference.refuse(
    'commission rates are immutable: insert a new version instead'
);

-- One row. While there is none, no deal of an auction is charged and no month billed: both wait.
CREATE TABLE reference.commission_policies (
    policy_id reference.identifier PRIMARY KEY CONSTRAINT there_is_one_policy CHECK (policy_id = 'commission'),
    zone reference.label NOT NULL,
    bill_after_days integer NOT NULL CHECK (bill_after_days BETWEEN 0 AND 31)
);

CREATE FUNCTION reference.check_zone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_timezone_names AS known WHERE known.name = NEW.zone) THEN
        RAISE EXCEPTION '% is no zone of the IANA database', NEW.zone USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER zone_is_known BEFORE INSERT OR UPDATE ON reference.commission_policies
FOR EACH ROW EXECUTE FUNCTION reference.check_zone();

-- Debezium reads these too. Rows that are there already reach the agents by a new snapshot: `remove`, then `apply`.
ALTER PUBLICATION millrace_reference ADD TABLE
reference.commission_rates,
reference.commission_policies;

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON reference.commission_policies
FOR EACH STATEMENT EXECUTE FUNCTION reference.refuse('the agents would not learn of a TRUNCATE: use DELETE');
