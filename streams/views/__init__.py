"""What people ask about one book: what stands on it, and its statement. Read from the projection in Postgres."""
