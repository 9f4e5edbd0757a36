"""Apicurio, a schema registry with the Confluent API.

Its schemas are kept in a file: messages in kept topics name them by ids, which must mean the same after a restart.
"""

from functools import partial
from pathlib import Path

from stack import jars, readiness
from stack.errors import DownloadFailed
from stack.instance import Instance, ServerName
from stack.jars import JarSet
from stack.ports import HOST
from stack.program import JAVA_QUICK_START, Program, executable


def program(instance: Instance) -> Program:
    """The schema registry of this instance."""
    home = instance.home(ServerName.REGISTRY)
    return Program(
        name=ServerName.REGISTRY,
        ports=(instance.ports.registry,),
        folder=home,
        prepare=partial(home.mkdir, parents=True, exist_ok=True),
        command=partial(_command, instance.ports.registry, home / "data" / "registry"),
        lacking=partial(readiness.lacking, f"{instance.endpoints().registry}/subjects"),
    )


def _command(port: int, database: Path) -> list[str]:
    settings = {
        "quarkus.http.host": HOST,
        "quarkus.http.port": port,
        "quarkus.log.level": "WARN",
        # Written at commit, so that no id is given twice after a kill -9.
        "quarkus.datasource.jdbc.url": f"jdbc:h2:file:{database};WRITE_DELAY=0",
        "quarkus.datasource.jdbc.initial-size": 2,
        "quarkus.datasource.jdbc.min-size": 2,
    }
    definitions = [f"-D{name}={value}" for name, value in settings.items()]
    return [executable("java"), "-Xms96m", "-Xmx256m", *JAVA_QUICK_START, *definitions, "-jar", str(_runner())]


def _runner() -> Path:
    for runner in jars.folder(JarSet.REGISTRY).glob("*-runner.jar"):
        return runner
    raise DownloadFailed(f"registry has no runner jar in {jars.folder(JarSet.REGISTRY)}: delete that folder, try again")
