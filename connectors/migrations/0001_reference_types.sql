-- Reference data: what upstream and the back office edit, and what the agents decide by (PIPE-06).
-- The types hold a row to what the messages of schemas/ will take, so that a bad row is refused where it is typed in.

CREATE SCHEMA reference;

CREATE DOMAIN reference.identifier AS text CHECK (VALUE ~ '^[A-Za-z0-9][A-Za-z0-9._~:-]{0,95}$');
CREATE DOMAIN reference.label AS text CHECK (VALUE ~ '^[^\x01-\x1f\x7f]{1,240}$');
CREATE DOMAIN reference.currency_code AS text CHECK (VALUE ~ '^[A-Z]{3}$');
CREATE DOMAIN reference.minor_units AS bigint CHECK (VALUE BETWEEN 0 AND 1000000000000000);
CREATE DOMAIN reference.rate AS numeric(18, 9) CHECK (VALUE >= 0);

-- A trigger's function that refuses the statement with the sentence it is given.
CREATE FUNCTION reference.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END
$$;
