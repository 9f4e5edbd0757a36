"""Reference data out of Postgres by CDC, projections into Postgres by sinks, and the database that both work on."""
