-- Operators, the models they define, each of one vehicle type, and their vehicles, each of one model (MOB-01).

CREATE TABLE reference.msps (
    msp_id reference.identifier PRIMARY KEY,
    name reference.label NOT NULL
);

CREATE TABLE reference.vehicle_models (
    msp_id reference.identifier NOT NULL REFERENCES reference.msps,
    model_id reference.identifier NOT NULL,
    vehicle_type reference.identifier NOT NULL,
    name reference.label NOT NULL,
    PRIMARY KEY (msp_id, model_id)
);

CREATE TABLE reference.vehicles (
    vehicle_id reference.identifier PRIMARY KEY,
    msp_id reference.identifier NOT NULL,
    model_id reference.identifier NOT NULL,
    FOREIGN KEY (msp_id, model_id) REFERENCES reference.vehicle_models
);

CREATE INDEX vehicles_of_a_model ON reference.vehicles (msp_id, model_id);
