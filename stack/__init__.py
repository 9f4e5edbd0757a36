"""The local stack: Kafka, PostgreSQL, the schema registry, Kafka Connect and Prometheus, without Docker.

`python -m stack up` starts them; `stack.api` is the same for tests and the demo.
"""
