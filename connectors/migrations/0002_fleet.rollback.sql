DROP TABLE reference.vehicles;
DROP TABLE reference.vehicle_models;
DROP TABLE reference.msps;
