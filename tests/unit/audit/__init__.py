"""The auditor, against a small world in memory: what it must not find, and everything that it must."""
