DROP VIEW analysis.price_segments;
DROP TABLE projection.deposits;
