"""Dealer billing: what dealers owe, and the payments that Billing reports for it."""
