"""No penny wrong under any fault: load, an adversary, and a verifier that shares no code with the product.

    python -m tests.torture --minutes 10 --brokers 3 --seed 7

`load` publishes like upstream, `crew` runs workers and sinks and starts again what ends, `adversary` breaks things by a
seeded plan of `faults`, `verifier` works everything out again from the inputs and compares.
"""
