DROP FUNCTION reference.price_at(text, timestamptz);
DROP TRIGGER prices_are_remembered ON reference.vehicle_prices;
DROP FUNCTION reference.remember_price();
DROP TABLE reference.vehicle_price_history;
