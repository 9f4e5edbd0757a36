"""A believable day, made from a seed, run through the whole system: `python -m streams demo`."""
