"""Invoices: one for every trip that was paid (MOB-25)."""
