"""Contracts: what crosses a topic, declared once. Everything else imports from here; this imports nothing of ours."""
