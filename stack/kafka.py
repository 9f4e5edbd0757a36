"""Apache Kafka in KRaft mode: each process is a broker and a controller, alone or one of three.

In a cluster of three everything has three replicas, and a write is in two of them before it is confirmed.
"""

import logging
import os
import subprocess
from functools import partial
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, TopicPartition

from stack import jars
from stack.errors import NotReady
from stack.instance import BROKERS, Instance, Network, ServerName
from stack.jars import JarSet
from stack.ports import HOST
from stack.program import JAVA_LOGGING, JAVA_QUICK_START, Program, executable, properties

# Any id does: no instance meets another, and clients do not look at it. Fixed, so that formatting can be repeated.
_CLUSTER_ID = "bWlsbHJhY2Utc3RhY2swMA"

# The broker is what benchmarks measure: both compilers, and the collector and heap of Kafka's own scripts.
_HEAP = ("-Xms512m", "-Xmx1g")
_PERFORMANCE = "-XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:+ExplicitGCInvokesConcurrent"
PERFORMANCE_VARIABLE = "KAFKA_JVM_PERFORMANCE_OPTS"
"""Named as by Kafka's own scripts: what stands in it takes the place of these flags."""

# A broker that does not answer yet is no news while we wait for it.
_silent = logging.getLogger("stack.kafka.readiness")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


def program(instance: Instance, server: ServerName = ServerName.KAFKA) -> Program:
    """A broker of this instance."""
    home = instance.home(server)
    listeners = ("kafka", "controller", *(["proxied"] if instance.network is Network.PROXIED else []))
    ports = tuple(instance.port(listener, server) for listener in listeners)
    return Program(
        name=server,
        ports=ports,
        folder=home,
        prepare=partial(_prepare, instance, server),
        command=partial(_command, home),
        lacking=partial(_lacking, instance, server),
    )


def _node(server: ServerName) -> int:
    return BROKERS.index(server) + 1


def _listeners(instance: Instance, server: ServerName) -> dict[str, object]:
    """Brokers speak to each other, and clients to them, on PLAINTEXT; what comes through a proxy has its own."""
    ports = {"PLAINTEXT": instance.port("kafka", server), "CONTROLLER": instance.port("controller", server)}
    advertised = dict(ports)
    if instance.network is Network.PROXIED:
        ports["PROXIED"] = instance.port("proxied", server)
        advertised["PROXIED"] = instance.port("proxy", server)
    voters = (f"{_node(each)}@{HOST}:{instance.port('controller', each)}" for each in instance.broker_names)
    return {
        "process.roles": "broker,controller",
        "node.id": _node(server),
        "controller.quorum.voters": ",".join(voters),
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listeners": ",".join(f"{name}://{HOST}:{port}" for name, port in ports.items()),
        "advertised.listeners": ",".join(f"{name}://{HOST}:{port}" for name, port in advertised.items()),
        "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in ports),
    }


def settings(instance: Instance, server: ServerName) -> dict[str, object]:
    """What stands in a broker's `server.properties`."""
    replicas, confirmed = (1, 1) if instance.brokers == 1 else (3, 2)
    return {
        **_listeners(instance, server),
        "log.dirs": instance.home(server) / "data",
        "num.io.threads": 4,
        "log.cleaner.dedupe.buffer.size": 33_554_432,
        "log.retention.hours": 168,
        # Topics are declared by the pipeline; a misspelt name must not become a topic.
        "auto.create.topics.enable": "false",
        # Internal topics have few partitions, so that coordinators are up at once.
        "default.replication.factor": replicas,
        "min.insync.replicas": confirmed,
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": 8,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": confirmed,
        "transaction.state.log.num.partitions": 8,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": confirmed,
        "share.coordinator.state.topic.num.partitions": 1,
        # A killed broker may register again only when the session of its former life is over; a machine that stalls
        # for some seconds must not end the session of a living one.
        "broker.session.timeout.ms": 6_000,
        "broker.heartbeat.interval.ms": 1_000,
        # Tests fence and expire workers: everything that waits may wait briefly.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 2_000,
        "group.consumer.min.session.timeout.ms": 2_000,
        "group.consumer.min.heartbeat.interval.ms": 500,
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
    }


def _prepare(instance: Instance, server: ServerName) -> None:
    """Write the configuration, and format the data folder once."""
    home = instance.home(server)
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "server.properties"
    configuration.write_text(properties(settings(instance, server)))
    if (home / "data" / "bootstrap.checkpoint").exists():  # The last file that formatting writes.
        return
    command = [
        *(executable("java"), *JAVA_QUICK_START, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"),
        *("-cp", jars.class_path(JarSet.KAFKA), "kafka.tools.StorageTool", "format", "--ignore-formatted"),
        *("--cluster-id", _CLUSTER_ID, "--config", str(configuration)),
    ]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = " ".join((done.stderr or done.stdout).strip().splitlines()[-1:])
        raise NotReady(f"{server} could not format {home / 'data'}: {reason}")


def _command(home: Path) -> list[str]:
    jvm = (*_HEAP, *os.environ.get(PERFORMANCE_VARIABLE, _PERFORMANCE).split(), *JAVA_LOGGING)
    class_path = jars.class_path(JarSet.KAFKA)
    return [executable("java"), *jvm, "-cp", class_path, "kafka.Kafka", str(home / "server.properties")]


def _lacking(instance: Instance, server: ServerName) -> str:
    """Ready means: a group coordinator answers it, and it and every other broker that runs know of each other.

    A client drops a broker, and its requests to it, that the next broker it asks does not know of yet.
    """
    running = {each for each in instance.broker_names if each == server or instance.running(each) is not None}
    nodes = {_node(each) for each in running}
    return _answer(instance, server, nodes, coordinator=True) or next(
        (lack for each in running - {server} if (lack := _answer(instance, each, nodes, coordinator=False))), ""
    )


def _answer(instance: Instance, server: ServerName, nodes: set[int], *, coordinator: bool) -> str:
    """What a broker's answers lack, if anything.

    A consumer asks, not the admin client: that one was seen to abort the process when it was given up while it still
    looked for the coordinator of a dead broker (librdkafka 2.16, assertion in rd_kafka_enq_once_del_source_return).
    """
    address = f"{HOST}:{instance.port('kafka', server)}"
    client = {"bootstrap.servers": address, "group.id": "millrace-stack", "enable.auto.commit": False, "log_level": 0}
    asking = Consumer(client, logger=_silent)
    try:
        if not nodes <= asking.list_topics(timeout=2.0).brokers.keys():
            return "broker" if len(nodes) == 1 else "cluster"
        if coordinator:
            asking.committed([TopicPartition("millrace-stack", 0)], timeout=5.0)
    except KafkaException as error:
        return f"answer ({error})"
    finally:
        asking.close()
    return ""
