DROP TABLE reference.suppliers;
DROP TABLE reference.prisoners;
DROP FUNCTION reference.fill_cost_centre();
DROP TABLE reference.prisons;
