DROP VIEW analysis.bill;
DROP VIEW analysis.accounts;
DROP VIEW analysis.dealers;
DROP TABLE projection.bill;
DROP TABLE projection.accounts;
DROP TABLE projection.dealers;
