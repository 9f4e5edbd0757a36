-- Prisons, prisoners and suppliers. A prisoner's row carries the cost centre of its prison, so that one change row
-- is the message Prisoner; the foreign key keeps the two equal, also when the prison's changes.

CREATE TABLE reference.prisons (
    prison_id reference.identifier PRIMARY KEY,
    name reference.label NOT NULL,
    cost_centre reference.identifier NOT NULL,
    UNIQUE (prison_id, cost_centre)
);

CREATE TABLE reference.prisoners (
    prisoner_id reference.identifier PRIMARY KEY,
    prison_id reference.identifier NOT NULL,
    cost_centre reference.identifier NOT NULL,
    FOREIGN KEY (prison_id, cost_centre) REFERENCES reference.prisons (prison_id, cost_centre) ON UPDATE CASCADE
);

CREATE INDEX prisoners_of_a_prison ON reference.prisoners (prison_id, cost_centre);

CREATE FUNCTION reference.fill_cost_centre() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT prison.cost_centre INTO NEW.cost_centre
    FROM reference.prisons AS prison WHERE prison.prison_id = NEW.prison_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'prisoner % is in prison %, which is not in reference.prisons', NEW.prisoner_id, NEW.prison_id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER cost_centre_is_the_prisons BEFORE INSERT OR UPDATE OF prison_id ON reference.prisoners
FOR EACH ROW EXECUTE FUNCTION reference.fill_cost_centre();

CREATE TABLE reference.suppliers (
    supplier_id reference.identifier PRIMARY KEY,
    name reference.label NOT NULL,
    gl_account reference.identifier NOT NULL
);
