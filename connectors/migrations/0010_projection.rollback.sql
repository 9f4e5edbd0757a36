DROP TABLE projection.statement_lines;
DROP TABLE projection.open_locks;
DROP TABLE projection.balances;
DROP SCHEMA projection;
