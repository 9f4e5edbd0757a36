"""The person-facing views, without Postgres."""
