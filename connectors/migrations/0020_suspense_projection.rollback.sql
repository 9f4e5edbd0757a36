DROP VIEW analysis.suspense;
DROP TABLE projection.suspense;
