"""Trip life: the real app on its real topics, from Avro to Avro. `python -m benchmarks.trips`.

Read in this order: `lives` (what happens, and what must come of it), `city` (topics, reference data, publishing),
`worker` (the program that is measured), `outcomes` (the proof), `run`.
"""
