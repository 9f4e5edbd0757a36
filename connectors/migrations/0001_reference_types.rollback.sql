DROP FUNCTION reference.refuse();
DROP DOMAIN reference.rate;
DROP DOMAIN reference.minor_units;
DROP DOMAIN reference.currency_code;
DROP DOMAIN reference.label;
DROP DOMAIN reference.identifier;
DROP SCHEMA reference;
