-- What prison finance decides by: permissions of governors, policies on advances, officers, the general ledger's codes.
-- A moment that becomes a message's field is in microseconds since 1970 UTC, as on the wire; `micros` makes it.

CREATE DOMAIN reference.utc_micros AS bigint CHECK (VALUE BETWEEN 0 AND 7258118400000000);

CREATE FUNCTION reference.micros(moment timestamptz) RETURNS reference.utc_micros LANGUAGE sql STABLE AS $$
    SELECT (extract(epoch FROM moment) * 1000000)::bigint
$$;

-- Until when the governor permits private cash beside spends, and how much of it in one purchase; null: never, any.
ALTER TABLE reference.prisoners
ADD COLUMN cash_permission_until reference.utc_micros,
ADD COLUMN cash_permission_most_minor reference.minor_units;

-- Advances: the most that a prisoner's may come to, and how they are repaid. All three, or none: then there are none.
ALTER TABLE reference.prisons
ADD COLUMN advance_allowed_minor reference.minor_units,
ADD COLUMN advance_instalment_minor reference.minor_units CHECK (advance_instalment_minor > 0),
ADD COLUMN advance_every_days integer CHECK (advance_every_days BETWEEN 1 AND 366),
ADD COLUMN automatic_circumstances text [] NOT NULL DEFAULT '{}',
ADD CONSTRAINT an_advance_policy_is_whole CHECK (
    num_nulls(advance_allowed_minor, advance_instalment_minor, advance_every_days) IN (0, 3)
),
ADD CONSTRAINT circumstances_are_identifiers CHECK (
    array_position(automatic_circumstances, NULL) IS NULL
    AND array_to_string(automatic_circumstances, '|')
    ~ '^([A-Za-z0-9][A-Za-z0-9._~:-]{0,95}([|][A-Za-z0-9][A-Za-z0-9._~:-]{0,95})*)?$'
);

CREATE TABLE reference.officers (
    officer_id reference.identifier PRIMARY KEY,
    prison_id reference.identifier NOT NULL REFERENCES reference.prisons,
    may_approve_advances boolean NOT NULL,
    may_write_off boolean NOT NULL
);

CREATE TABLE reference.gl_accounts (
    purpose text PRIMARY KEY CHECK (
        purpose IN ('spends', 'cash', 'savings', 'advance', 'owed', 'written_off')
    ),
    nomis_code reference.identifier NOT NULL,
    sop_account reference.identifier NOT NULL
);
