"""The servers: which program each is, and which jars it needs."""

from collections.abc import Iterable
from typing import assert_never

from stack import connect, kafka, postgres, prometheus, registry, toxiproxy
from stack.instance import BROKERS, Instance, ServerName
from stack.jars import JarSet
from stack.program import Program
from stack.supervisor import Report

_JARS: dict[ServerName, frozenset[JarSet]] = {
    ServerName.KAFKA: frozenset({JarSet.KAFKA}),
    ServerName.REGISTRY: frozenset({JarSet.REGISTRY}),
    ServerName.CONNECT: frozenset(
        {JarSet.KAFKA, JarSet.DEBEZIUM_POSTGRES, JarSet.DEBEZIUM_JDBC, JarSet.AVRO_CONVERTER}
    ),
}


def in_order(asked: Iterable[ServerName], brokers: Iterable[ServerName] = BROKERS[:1]) -> list[ServerName]:
    """The servers that were asked for, in the order of ServerName; Connect brings Kafka, a broker its cluster."""
    wanted = set(asked)
    if ServerName.CONNECT in wanted or not wanted.isdisjoint(BROKERS):
        wanted = wanted.difference(BROKERS).union(brokers)
    return [server for server in ServerName if server in wanted]


def jars_of(servers: Iterable[ServerName]) -> set[JarSet]:
    """All jars that these servers need."""
    return {jar_set for server in servers for jar_set in _JARS.get(server, frozenset())}


def program(instance: Instance, server: ServerName, report: Report) -> Program:
    """The program of one server of the instance."""
    match server:
        case ServerName.TOXIPROXY:
            return toxiproxy.program(instance)
        case ServerName.KAFKA | ServerName.KAFKA_2 | ServerName.KAFKA_3:
            return kafka.program(instance, server)
        case ServerName.POSTGRES:
            return postgres.program(instance, report)
        case ServerName.REGISTRY:
            return registry.program(instance)
        case ServerName.CONNECT:
            return connect.program(instance)
        case ServerName.PROMETHEUS:
            return prometheus.program(instance)
        case _:
            assert_never(server)
