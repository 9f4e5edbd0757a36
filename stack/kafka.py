"""Apache Kafka in KRaft mode: one process that is the broker and its own controller."""

import logging
import subprocess
from functools import partial
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from stack import jars
from stack.errors import NotReady
from stack.instance import Instance, ServerName
from stack.jars import JarSet
from stack.ports import HOST
from stack.program import JAVA_LOGGING, JAVA_QUICK_START, Program, executable, properties

# Any id does: an instance has one broker, and clients do not look at it. Fixed, so that formatting can be repeated.
_CLUSTER_ID = "bWlsbHJhY2Utc3RhY2swMA"

# The broker is what benchmarks measure: both compilers, and the collector and heap of Kafka's own scripts.
_JVM = ("-Xms512m", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:+ExplicitGCInvokesConcurrent")

# A broker that does not answer yet is no news while we wait for it.
_silent = logging.getLogger("stack.kafka.readiness")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


def program(instance: Instance) -> Program:
    """The broker of this instance."""
    home = instance.home(ServerName.KAFKA)
    return Program(
        name=ServerName.KAFKA,
        ports=(instance.ports.kafka, instance.ports.controller),
        folder=home,
        prepare=partial(_prepare, instance),
        command=partial(_command, home),
        lacking=partial(_lacking, instance.endpoints().kafka),
    )


def _settings(instance: Instance) -> dict[str, object]:
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{HOST}:{instance.ports.controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{HOST}:{instance.ports.kafka},CONTROLLER://{HOST}:{instance.ports.controller}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": instance.home(ServerName.KAFKA) / "data",
        "num.io.threads": 4,
        "log.cleaner.dedupe.buffer.size": 33_554_432,
        "log.retention.hours": 168,
        # Topics are declared by the pipeline; a misspelt name must not become a topic.
        "auto.create.topics.enable": "false",
        # One node: internal topics have one replica, and few partitions so that coordinators are up at once.
        "default.replication.factor": 1,
        "min.insync.replicas": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 8,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 8,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
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


def _prepare(instance: Instance) -> None:
    """Write the configuration, and format the data folder once."""
    home = instance.home(ServerName.KAFKA)
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "server.properties"
    configuration.write_text(properties(_settings(instance)))
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
        raise NotReady(f"kafka could not format {home / 'data'}: {reason}")


def _command(home: Path) -> list[str]:
    class_path = jars.class_path(JarSet.KAFKA)
    return [executable("java"), *_JVM, *JAVA_LOGGING, "-cp", class_path, "kafka.Kafka", str(home / "server.properties")]


def _lacking(address: str) -> str:
    """Ready means: the broker gives its metadata, and a group coordinator answers."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0}, logger=_silent)
    try:
        if not admin.list_topics(timeout=2.0).brokers:
            return "broker"
        described = admin.describe_consumer_groups(["millrace-stack"], request_timeout=5.0)
        described["millrace-stack"].result(timeout=5.0)
    except (KafkaException, TimeoutError) as error:
        return f"answer ({error})"
    return ""
