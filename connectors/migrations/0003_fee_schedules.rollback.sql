DROP TABLE reference.fee_schedule_versions;
DROP FUNCTION reference.number_version();
DROP FUNCTION reference.take_turn_in_pricing(reference.identifier []);
DROP TABLE reference.fee_schedule_models;
DROP TABLE reference.fee_schedules;
