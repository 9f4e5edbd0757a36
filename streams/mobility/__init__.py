"""Mobility: budgets of sharing groups, and the trips paid from them."""
