"""A worker to be frozen: joins, writes, waits for a line, then tries to commit and tells how it went."""

import sys

from confluent_kafka import Consumer, Producer

from tests.simulation.clusters import READING, WRITING, begin_work, finish_work


def main() -> None:
    servers, group, source, out = sys.argv[1:]
    consumer = Consumer({"bootstrap.servers": servers, **READING, "group.id": group})
    producer = Producer({"bootstrap.servers": servers, **WRITING, "transactional.id": f"frozen-{group}"})
    member = begin_work(consumer, producer, source, out)
    print("ready", flush=True)
    sys.stdin.readline()
    print(finish_work(producer, source, member), flush=True)


if __name__ == "__main__":
    main()
