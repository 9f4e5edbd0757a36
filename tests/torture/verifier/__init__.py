"""Works out again from the inputs what the pipeline ought to have done, and compares. Imports nothing of the product.

The one thing it takes from the journal is the order in which records of different topics were taken. Read `books`, then
`model` with its three rooms, then `check`.
"""
