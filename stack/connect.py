"""Kafka Connect, distributed with one worker: Debezium's Postgres source and JDBC sink, and the Avro converter."""

from functools import partial
from pathlib import Path

from stack import jars, readiness
from stack.instance import Instance, ServerName
from stack.jars import JarSet
from stack.ports import HOST
from stack.program import JAVA_LOGGING, JAVA_QUICK_START, Program, executable

CONFIGURATION = Path(__file__).with_name("config") / "connect.properties"

_QUIET = (
    # Otherwise every client of every task prints its whole configuration.
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.clients=warn",
)


def program(instance: Instance) -> Program:
    """The Connect worker of this instance."""
    home = instance.home(ServerName.CONNECT)
    url = instance.endpoints().connect
    return Program(
        name=ServerName.CONNECT,
        ports=(instance.ports.connect,),
        folder=home,
        prepare=partial(_prepare, home),
        command=_command,
        lacking=partial(readiness.lacking, f"{url}/connector-plugins", f"{url}/health"),
        environment=_environment(instance),
    )


def _prepare(home: Path) -> None:
    """Its configuration looks for `plugins` in the working directory: point that at the pinned versions."""
    home.mkdir(parents=True, exist_ok=True)
    plugins = home / "plugins"
    plugins.unlink(missing_ok=True)
    plugins.symlink_to(jars.cache() / "plugins")


def _command() -> list[str]:
    jvm = [executable("java"), "-Xms128m", "-Xmx512m", *JAVA_QUICK_START, *JAVA_LOGGING, *_QUIET]
    main = "org.apache.kafka.connect.cli.ConnectDistributed"
    return [*jvm, "-cp", jars.class_path(JarSet.KAFKA), main, str(CONFIGURATION)]


def _environment(instance: Instance) -> dict[str, str]:
    """What the worker's configuration and the connectors' may name as ${env:...}, here and in docker-compose.yml."""
    return {
        "MILLRACE_KAFKA": instance.endpoints().kafka,
        "CONNECT_HOST": HOST,
        "CONNECT_PORT": str(instance.ports.connect),
        "CONNECT_ADVERTISED_HOST": HOST,
        "MILLRACE_POSTGRES_PASSWORD": "not-asked-for",
    }
