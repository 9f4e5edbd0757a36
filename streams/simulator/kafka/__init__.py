"""A Kafka broker in memory, with clients that have the surface of `confluent_kafka` as far as our runtime uses it.

    broker = Broker()
    broker.create_topic("in", partitions=2)
    producer = broker.host().new_producer({"transactional.id": "t"})

It models what exactly once rests on, and claims no more than `tests/simulation/test_broker_contract.py` proves of it
and of a real broker alike: logs with transactions and their markers, producers and their epochs, consumer groups and
their generations, offsets that are pending, compaction. One broker, no replication, no sizes, no quotas. Time is
virtual: it passes when somebody lets it pass.

    messages.py, errors.py   what clients get
    log.py                   one partition
    transactions.py          the transaction coordinator
    groups.py                the group coordinator
    broker.py                all of it, request by request
    host.py                  the machine that a client runs on: where faults come from
    consumer.py, producer.py the clients

It knows nothing of what runs on it.
"""
