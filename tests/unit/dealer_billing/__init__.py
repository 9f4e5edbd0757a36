"""Dealer billing: one dealer's book, pure."""
